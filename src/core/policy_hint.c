/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Remedies for what beginners write: what the text was probably meant to be, in the words that the file should have. */
#include <stdio.h>
#include <string.h>

#include "doc_private.h"
#include "policy_build.h"

/* Fields that beginners put one level too high or too low. */
const char *hint_misplaced(const char *field)
{
        static const struct {
                const char *field;
                const char *hint;
        } places[] = {
                {"podSelector", "podSelector stands in spec, or in an item of from or to; check the indentation"},
                {"namespaceSelector", "namespaceSelector stands in an item of from or to; check the indentation"},
                {"ipBlock", "ipBlock stands in an item of from or to; check the indentation"},
                {"cidr", "cidr stands in ipBlock"},
                {"except", "except stands in ipBlock"},
                {"policyTypes", "policyTypes stands in spec; check the indentation"},
                {"ingress", "ingress stands in spec; check the indentation"},
                {"egress", "egress stands in spec; check the indentation"},
                {"from", "from stands in an item of ingress; an egress rule has \"to\""},
                {"to", "to stands in an item of egress; an ingress rule has \"from\""},
                {"ports", "ports stands in an item of ingress or egress, beside from or to; check the indentation"},
                {"port", "port stands in an item of ports"},
                {"endPort", "endPort stands in an item of ports, beside port"},
                {"protocol", "protocol stands in an item of ports"},
                {"matchLabels", "matchLabels stands in podSelector or namespaceSelector; check the indentation"},
                {"matchExpressions",
                 "matchExpressions stands in podSelector or namespaceSelector; check the indentation"},
                {"name", "name stands in metadata"},
                {"namespace", "namespace stands in metadata; a peer's namespaces are chosen by namespaceSelector"},
                {"labels", "an object's labels stand in metadata; labels to select by stand in matchLabels"},
                {"annotations", "annotations stand in metadata"},
                {"action", "a NetworkPolicy only allows; action stands in a rule of a ClusterNetworkPolicy"},
        };
        size_t i;

        for (i = 0; i < ARRAY_SIZE(places); i++)
                if (strcmp(places[i].field, field) == 0)
                        return places[i].hint;
        return NULL;
}

/* Braces and dollars of programs that fill in values. */
static bool is_template(const char *text)
{
        return strstr(text, "{{") || strstr(text, "${") || strstr(text, "$(") || text[0] == '$' || strstr(text, "<%");
}

const char *hint_text(char buf[static DOC_HINT_MAX], const char *text, const char *otherwise)
{
        if (is_template(text))
                snprintf(buf, DOC_HINT_MAX, "is this a template? Render it first");
        else if (!doc_hint_character(buf, text))
                snprintf(buf, DOC_HINT_MAX, "%s", otherwise);
        return buf;
}

/* The CIDR that a text is or stands for; false where it is none. */
static bool find_cidr(const char *text, char ret[static ADDR_TEXT_MAX])
{
        struct prefix prefix;
        struct addr addr;

        if (addr_parse(text, &addr)) {
                addr_format(&addr, ret);
                snprintf(ret + strlen(ret), ADDR_TEXT_MAX - strlen(ret), addr.family == ADDR_V4 ? "/32" : "/128");
                return true;
        }
        if (!prefix_parse(text, &prefix))
                return false;
        prefix_format(&prefix, ret);
        return true;
}

const char *hint_peer(char buf[static DOC_HINT_MAX], const struct doc_node *node)
{
        char cidr[ADDR_TEXT_MAX];

        if (node->kind == DOC_STRING && find_cidr(node->text, cidr))
                snprintf(buf, DOC_HINT_MAX, "write \"- ipBlock: { cidr: %s }\"", cidr);
        else if (node->kind == DOC_STRING && strlen(node->text) < 32 && label_value_is_valid(node->text))
                snprintf(buf, DOC_HINT_MAX,
                         "peers are chosen by labels: \"- podSelector: { matchLabels: { app: %s } }\"; for everybody "
                         "leave the field out",
                         node->text);
        else
                snprintf(buf, DOC_HINT_MAX, "an item has podSelector, namespaceSelector or ipBlock");
        return buf;
}

const char *hint_block(char buf[static DOC_HINT_MAX], const struct doc_node *node)
{
        char cidr[ADDR_TEXT_MAX];

        if (node->kind == DOC_STRING && find_cidr(node->text, cidr))
                snprintf(buf, DOC_HINT_MAX, "write \"ipBlock: { cidr: %s }\"", cidr);
        else if (node->kind == DOC_LIST)
                snprintf(buf, DOC_HINT_MAX, "give each cidr an item of its own, with \"- ipBlock: \" before it");
        else
                snprintf(buf, DOC_HINT_MAX, "write \"ipBlock: { cidr: 10.0.0.0/8 }\"");
        return buf;
}

const char *hint_selector(char buf[static DOC_HINT_MAX], const struct doc_node *node, const char *what)
{
        const char *text = node->kind == DOC_STRING ? node->text : "";
        const char *equals = strchr(text, '=');
        bool is_name = strcmp(what, "namespaceSelector") == 0 || strcmp(what, "namespaces") == 0;

        if (strlen(text) > 40 || text[0] == '\0')
                snprintf(buf, DOC_HINT_MAX, "%s",
                         node->kind == DOC_LIST ? "write matchLabels or matchExpressions without \"- \" before it"
                                                : "write matchLabels or matchExpressions below it; {} selects all");
        else if (equals)
                snprintf(buf, DOC_HINT_MAX, "write \"%s: { matchLabels: { %.*s: %s } }\"", what, (int)(equals - text),
                         text, equals + 1);
        else if (is_name)
                snprintf(buf, DOC_HINT_MAX, "write \"%s: { matchLabels: { " NAMESPACE_NAME_LABEL ": %s } }\"", what,
                         text);
        else
                snprintf(buf, DOC_HINT_MAX, "labels are selected, not names: \"%s: { matchLabels: { app: %s } }\"",
                         what, text);
        return buf;
}
