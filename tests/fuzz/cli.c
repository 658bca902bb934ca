/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command line as it is run: the first byte says which command, the second which format; the rest of the first line
 * are operands, and the parts after it the policies, an inventory, older policies and an older inventory. */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cli/options.h"
#include "fuzz.h"
#include "oom.h"

#define FILES 4
#define ARGUMENTS 16
#define TEXT_MAX 256

int vethwall_main(int argc, char **argv);

/* A file without a name, and the path to it. */
struct file {
        int fd;
        char path[64];
};

static struct file *files(void)
{
        static struct file all[FILES];
        static bool made;

        for (size_t i = 0; !made && i < FILES; i++) {
                all[i].fd = memfd_create("fuzz", MFD_CLOEXEC);
                fuzz_must(all[i].fd >= 0, "there are files");
                snprintf(all[i].path, sizeof(all[i].path), "/proc/self/fd/%d", all[i].fd);
        }
        made = true;
        return all;
}

static void write_file(struct file *file, const struct fuzz_part *part)
{
        fuzz_must(ftruncate(file->fd, 0) == 0, "a file can be emptied");
        fuzz_must(pwrite(file->fd, part->bytes, part->size, 0) == (ssize_t)part->size, "a file can be written");
}

struct arguments {
        char *argv[ARGUMENTS + 1];
        int argc;
};

static void add(struct arguments *arguments, const char *argument)
{
        if (arguments->argc < ARGUMENTS)
                arguments->argv[arguments->argc++] = (char *)argument;
}

static void add_option(struct arguments *arguments, const char *option, const char *value)
{
        add(arguments, option);
        add(arguments, value);
}

/* The words of the first line, in text. */
static void add_operands(struct arguments *arguments, struct fuzz_input *input, char text[static TEXT_MAX])
{
        size_t len = 0;
        char *saved;

        while (input->size > 0) {
                char c = (char)fuzz_byte(input);

                if (c == '\n')
                        break;
                if (len < TEXT_MAX - 1)
                        text[len++] = c;
        }
        text[len] = '\0';
        for (char *word = strtok_r(text, " ", &saved); word; word = strtok_r(NULL, " ", &saved))
                if (word[0] != '-')
                        add(arguments, word);
}

/* The n-th of the formats that the command has, or NULL. */
static const char *choose_format(const struct command *command, unsigned n)
{
        unsigned len = (unsigned)__builtin_popcount(command->formats);

        if (len == 0)
                return NULL;
        n %= len;
        for (enum format i = 0; i < FORMAT_MAX; i++)
                if (command->formats & 1u << i && n-- == 0)
                        return format_name(i);
        return NULL;
}

static const struct command *find_command(uint8_t byte)
{
        static const char *const names[] = {"lint", "matrix", "explain", "diff", "compile", "fmt", "convert"};
        const char *name = names[byte % ARRAY_SIZE(names)];

        for (size_t i = 0; i < commands_len; i++)
                if (strcmp(commands[i].name, name) == 0)
                        return &commands[i];
        return NULL;
}

/* The files that the input has, at least one; returns how many. */
static size_t write_files(struct file *all, struct fuzz_input *input)
{
        size_t len = 0;

        while (len < FILES && (len == 0 || fuzz_more(input))) {
                struct fuzz_part part = fuzz_part(input);

                write_file(&all[len++], &part);
                fuzz_part_fini(&part);
        }
        return len;
}

/* Commands that take policies by option or as operands; fmt and its kin would change a file, and read standard input. */
static void add_files(struct arguments *arguments, const struct command *command, const struct file *all, size_t len)
{
        if (strcmp(command->name, "diff") == 0)
                add(arguments, all[len > 2 ? 2 : 0].path);
        if (command->options & OPTION_BIT(OPTION_POLICY))
                add(arguments, "-p");
        if (command->options & OPTION_BIT(OPTION_INVENTORY)) {
                add(arguments, all[0].path);
                if (len > 3 && strcmp(command->name, "diff") == 0)
                        add_option(arguments, "-i", all[3].path);
                if (len > 1)
                        add_option(arguments, "-i", all[1].path);
                return;
        }
        add(arguments, "-");
        fuzz_must(dup2(all[0].fd, STDIN_FILENO) == STDIN_FILENO, "standard input can be a file");
        rewind(stdin);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
        struct fuzz_input input = {bytes, size};
        const struct command *command = find_command(fuzz_byte(&input));
        struct arguments arguments = {0};
        char operands[TEXT_MAX];
        const char *format;
        uint8_t look = fuzz_byte(&input);
        uint32_t oom = fuzz_oom(&input);

        if (!command)
                return 0;
        format = choose_format(command, look & 0x7f);
        add(&arguments, "vethwall");
        add(&arguments, command->name);
        add(&arguments, look & 0x80 ? "--color=always" : "--color=never");
        if (format)
                add_option(&arguments, "-o", format);
        add_operands(&arguments, &input, operands);
        add_files(&arguments, command, files(), write_files(files(), &input));
        oom_after(oom);
        fuzz_must(vethwall_main(arguments.argc, arguments.argv) <= 2, "a command ends with 0, 1 or 2");
        oom_after(OOM_NEVER);
        return 0;
}
