# SPDX-License-Identifier: GPL-2.0-or-later
# Completion of vethwall for fish. What can be completed is what the program's own help says, so that nothing here goes
# out of date; endpoints are those of the running agent, if one answers.

# "NAME<tab>WHAT IT DOES"
function __vethwall_commands
    command vethwall --help 2>/dev/null | awk '/^Commands:/ { on = 1; next } !/^  / { on = 0 }
        on { name = $1; sub(/^  [a-z]+ +/, ""); print name "\t" $0 }'
end

# The words on the line that are neither options nor values of options: the command first, then its operands.
function __vethwall_operands
    set -l valued (__vethwall_options | string match -r '^\S+ [A-Z]+' | string replace -r ' .*' '')
    set -l skip 0
    for word in (commandline -opc)[2..-1]
        if test $skip = 1
            set skip 0
        else if contains -- $word $valued
            set skip 1
        else if not string match -q -- '-?*' $word
            echo $word
        end
    end
end

function __vethwall_command
    set -l words (__vethwall_operands)
    if set -q words[1]
        echo $words[1]
    end
end

# "--NAME VALUE<tab>WHAT IT DOES", without VALUE where there is none; of one command, or of all.
function __vethwall_options
    command vethwall $argv --help 2>/dev/null | awk '/^Options:/ { on = 1; next } on && /^ / {
        i = $1 ~ /^-.,$/ ? 2 : 1
        value = $(i + 1) ~ /^[A-Z]+$/ ? " " $(i + 1) : ""
        name = $i; short = i == 2 ? substr($1, 1, 2) : ""
        text = $0
        sub(/^ +(-., )?--[a-z-]+( [A-Z]+)? +/, "", text)
        print name value "\t" text
        if (short != "") print short value "\t" text }'
end

function __vethwall_option_names
    __vethwall_options (__vethwall_command) | string replace -r '^(\S+)[^\t]*' '$1'
end

# The value that the option before the cursor, or in its word, takes: FORMAT, PATH...
function __vethwall_value
    set -l words (commandline -opc)
    set -l option $words[-1]
    set -l current (commandline -ct)
    if string match -q -- '--*=*' $current
        set option (string split -m 1 = -- $current)[1]
    end
    __vethwall_options | string match -r -g -- "^$option ([A-Z]+)"
end

function __vethwall_values
    set -l command (__vethwall_command)
    switch (__vethwall_value)
        case FORMAT
            command vethwall $command --help 2>/dev/null | string match -r -g -- '--output FORMAT +(.*)' | string split ', '
        case WHEN
            printf '%s\n' auto always never
        case WHAT
            command vethwall $command --help 2>/dev/null | string join ' ' |
                string match -r -g -- '--fail-on[^(]*\(([a-z, ]*);' | string split ', '
        case RULE
            command vethwall lint --explain all 2>/dev/null | string match -r '^VW.*' |
                string replace -r '^(\S+) +\S+ +\S+ +(.*)' '$1\t$2'
            printf 'all\tList all rules\n'
        case PATH FILE
            __vethwall_files
    end
end

# Files that may hold policies or an inventory, and directories.
function __vethwall_files
    set -l current (string replace -r '^--[a-z-]+=' '' -- (commandline -ct) | string replace -r '^~(?=/)' $HOME)
    set -l files $current*/ $current*.yaml $current*.yml $current*.json
    printf '%s\n' $files
end

function __vethwall_endpoints
    set -l words (commandline -opc)
    set -l socket
    set -l place (contains -i -- --socket $words)
    if test -n "$place"; and set -q words[(math $place + 1)]
        set socket --socket $words[(math $place + 1)]
    end
    timeout --foreground 2 vethwall endpoints --color never $socket 2>/dev/null </dev/null | string match -r '^[\w.-]+/[\w.-]+(?= )'
end

# An operand, by what the usage line calls it.
function __vethwall_operand
    set -l words (__vethwall_operands)
    set -l usage (command vethwall $words[1] --help 2>/dev/null)[1]
    switch "$usage"
        case '*SRC DST*'
            if test (count $words) -lt 3
                __vethwall_endpoints
            else
                printf '%s\n' tcp/ udp/ sctp/ icmp
            end
        case '*PROTO/PORT*'
            printf '%s\n' tcp/ udp/ sctp/ icmp
        case '*PATH*' '*NEW*'
            __vethwall_files
    end
end

function __vethwall_complete
    set -l command (__vethwall_command)
    if test -n "$(__vethwall_value)"
        set -l option (string match -r -- '^--[a-z-]+=' (commandline -ct))
        __vethwall_values | string replace -r -- '^' "$option"
    else if string match -q -- '-*' (commandline -ct)
        __vethwall_option_names
    else if test -z "$command"
        __vethwall_commands
        printf 'help\tWhat a command does\n'
    else if test "$command" = help
        __vethwall_commands
    else
        __vethwall_operand
    end
end

complete -c vethwall -f -a '(__vethwall_complete)'
