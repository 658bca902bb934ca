/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The syntax of names.h. */
#include <string.h>

#include "names.h"

#define DNS_SUBDOMAIN_MAX 253
#define NAMESPACE_MAX 63
#define PORT_NAME_MAX 15

static bool is_lower_alnum(char c)
{
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool subdomain_is_valid(const char *text, size_t len, bool underscores)
{
        size_t i;

        if (len == 0 || len > DNS_SUBDOMAIN_MAX)
                return false;
        for (i = 0; i < len; i++) {
                bool first = i == 0 || text[i - 1] == '.', last = i + 1 == len || text[i + 1] == '.';

                if (is_lower_alnum(text[i]))
                        continue;
                if ((text[i] == '-' || (underscores && text[i] == '_')) && !first && !last)
                        continue;
                if (text[i] == '.' && !first && i + 1 < len)
                        continue;
                return false;
        }
        return true;
}

bool dns_subdomain_is_valid(const char *text, size_t len)
{
        return subdomain_is_valid(text, len, false);
}

bool object_name_is_valid(const char *text)
{
        return subdomain_is_valid(text, strlen(text), true);
}

bool namespace_name_is_valid(const char *text)
{
        size_t i, len = strlen(text);

        if (len == 0 || len > NAMESPACE_MAX || !is_lower_alnum(text[0]))
                return false;
        for (i = 0; i < len; i++)
                if (!is_lower_alnum(text[i]) && text[i] != '-' && text[i] != '_')
                        return false;
        return true;
}

bool port_name_is_valid(const char *text)
{
        size_t i, len = strlen(text);
        bool letter = false;

        if (len == 0 || len > PORT_NAME_MAX || text[0] == '-' || text[len - 1] == '-' || strstr(text, "--"))
                return false;
        for (i = 0; i < len; i++) {
                if (!is_lower_alnum(text[i]) && text[i] != '-')
                        return false;
                letter |= text[i] >= 'a' && text[i] <= 'z';
        }
        return letter;
}
