/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rules of VW2: ports, addresses and single rules. */
#include "lint_rules.h"

/* clang-format off */
const struct lint_rule lint_rules_rule[] = {
        {
                .id = "VW201",
                .severity = DIAG_WARNING,
                .summary = "rules in a direction that policyTypes leaves out",
                .why = "They are accepted and do nothing.",
                .bad = NETWORK_POLICY("web")
                       "  podSelector: { matchLabels: { app: web } }\n"
                       "  policyTypes: [Ingress]\n"
                       "  egress:\n"
                       "    - to: [{ podSelector: {} }]\n",
                .good = NETWORK_POLICY("web")
                        "  podSelector: { matchLabels: { app: web } }\n"
                        "  policyTypes: [Ingress, Egress]\n"
                        "  egress:\n"
                        "    - to: [{ podSelector: {} }]\n",
        },
        {
                .id = "VW202",
                .severity = DIAG_WARNING,
                .summary = "an entry of ports without a port",
                .why = "It means all ports of its protocol, and by itself all TCP ports.",
                .bad = NETWORK_POLICY("web")
                       "  podSelector: { matchLabels: { app: web } }\n"
                       "  policyTypes: [Ingress]\n"
                       "  ingress:\n"
                       "    - from: [{ podSelector: { matchLabels: { app: api } } }]\n"
                       "      ports: [{}]\n",
                .good = NETWORK_POLICY("web")
                        "  podSelector: { matchLabels: { app: web } }\n"
                        "  policyTypes: [Ingress]\n"
                        "  ingress:\n"
                        "    - from: [{ podSelector: { matchLabels: { app: api } } }]\n"
                        "      ports: [{ protocol: TCP, port: 80 }]\n",
        },
        {
                .id = "VW203",
                .severity = DIAG_ERROR,
                .summary = "a port number, range or name that is none",
                .why = "A port in quotes is a name; a range goes from port up to endPort.",
                .bad = NETWORK_POLICY("web")
                       "  podSelector: { matchLabels: { app: web } }\n"
                       "  policyTypes: [Ingress]\n"
                       "  ingress:\n"
                       "    - from: [{ podSelector: { matchLabels: { app: api } } }]\n"
                       "      ports: [{ port: \"80\" }]\n",
                .good = NETWORK_POLICY("web")
                        "  podSelector: { matchLabels: { app: web } }\n"
                        "  policyTypes: [Ingress]\n"
                        "  ingress:\n"
                        "    - from: [{ podSelector: { matchLabels: { app: api } } }]\n"
                        "      ports: [{ protocol: TCP, port: 80 }]\n",
        },
        {
                .id = "VW204",
                .severity = DIAG_WARNING,
                .summary = "a port name that a destination does not know",
                .why = "The rule does not match there.",
                .bad = NETWORK_POLICY("web")
                       "  podSelector: { matchLabels: { app: web } }\n"
                       "  policyTypes: [Ingress]\n"
                       "  ingress:\n"
                       "    - ports: [{ protocol: TCP, port: metrics }]\n",
                .good = NETWORK_POLICY("web")
                        "  podSelector: { matchLabels: { app: web } }\n"
                        "  policyTypes: [Ingress]\n"
                        "  ingress:\n"
                        "    - ports: [{ protocol: TCP, port: http }]\n",
                .inventory = INVENTORY
                             "  - name: web-1\n"
                             "    namespace: shop\n"
                             "    labels: { app: web }\n"
                             "    addresses: [10.0.0.2]\n"
                             "    ports: [{ name: http, port: 8080, protocol: TCP }]\n",
        },
        {
                .id = "VW205",
                .severity = DIAG_WARNING,
                .summary = "a port name that is several numbers",
                .why = "A name is looked up on each destination. Where endpoints that one label selects have "
                       "different numbers for it, some may not be what was meant; an endpoint that gives a name "
                       "twice opens both. Over a whole namespace names are there to differ: then it is a note.",
                .bad = NETWORK_POLICY("web")
                       "  podSelector: { matchLabels: { app: web } }\n"
                       "  policyTypes: [Ingress]\n"
                       "  ingress:\n"
                       "    - from: [{ podSelector: { matchLabels: { app: api } } }]\n"
                       "      ports: [{ protocol: TCP, port: http }]\n",
                .good = NETWORK_POLICY("web")
                        "  podSelector: { matchLabels: { app: web } }\n"
                        "  policyTypes: [Ingress]\n"
                        "  ingress:\n"
                        "    - from: [{ podSelector: { matchLabels: { app: api } } }]\n"
                        "      ports: [{ protocol: TCP, port: metrics }]\n",
                .inventory = INVENTORY
                             "  - name: web-1\n"
                             "    namespace: shop\n"
                             "    labels: { app: web }\n"
                             "    addresses: [10.0.0.2]\n"
                             "    ports: [{ name: http, port: 80 }, { name: metrics, port: 9100 }]\n"
                             "  - name: web-2\n"
                             "    namespace: shop\n"
                             "    labels: { app: web }\n"
                             "    addresses: [10.0.0.3]\n"
                             "    ports: [{ name: http, port: 8080 }, { name: metrics, port: 9100 }]\n"
                             "  - { name: api-1, namespace: shop, labels: { app: api }, addresses: [10.0.0.4] }\n",
        },
        {
                .id = "VW206",
                .severity = DIAG_ERROR,
                .summary = "a port name for addresses",
                .why = "Names belong to endpoints; an address outside has none, and the rule never matches there.",
                .bad = NETWORK_POLICY("web")
                       "  podSelector: { matchLabels: { app: web } }\n"
                       "  policyTypes: [Egress]\n"
                       "  egress:\n"
                       "    - to: [{ ipBlock: { cidr: 192.0.2.0/24 } }]\n"
                       "      ports: [{ protocol: TCP, port: http }]\n",
                .good = NETWORK_POLICY("web")
                        "  podSelector: { matchLabels: { app: web } }\n"
                        "  policyTypes: [Egress]\n"
                        "  egress:\n"
                        "    - to: [{ ipBlock: { cidr: 192.0.2.0/24 } }]\n"
                        "      ports: [{ protocol: TCP, port: 80 }]\n",
        },
        {
                .id = "VW207",
                .severity = DIAG_ERROR,
                .summary = "a CIDR that is none, an except that does not fit it, or (a warning) bits set behind "
                           "the length",
                .why = "10.0.0.5/8 means all of 10.0.0.0/8, which is rarely what was meant.",
                .bad = NETWORK_POLICY("web")
                       "  podSelector: { matchLabels: { app: web } }\n"
                       "  policyTypes: [Ingress]\n"
                       "  ingress:\n"
                       "    - from: [{ ipBlock: { cidr: 10.0.0.5/8 } }]\n"
                       "      ports: [{ protocol: TCP, port: 80 }]\n",
                .good = NETWORK_POLICY("web")
                        "  podSelector: { matchLabels: { app: web } }\n"
                        "  policyTypes: [Ingress]\n"
                        "  ingress:\n"
                        "    - from: [{ ipBlock: { cidr: 10.0.0.5/32 } }]\n"
                        "      ports: [{ protocol: TCP, port: 80 }]\n",
        },
        {
                .id = "VW208",
                .severity = DIAG_WARNING,
                .summary = "a block that holds endpoints' addresses",
                .why = "It matches them by address whatever their labels, and addresses change.",
                .bad = NETWORK_POLICY("web")
                       "  podSelector: { matchLabels: { app: web } }\n"
                       "  policyTypes: [Ingress]\n"
                       "  ingress:\n"
                       "    - from: [{ ipBlock: { cidr: 10.0.0.0/8 } }]\n"
                       "      ports: [{ protocol: TCP, port: 80 }]\n",
                .good = NETWORK_POLICY("web")
                        "  podSelector: { matchLabels: { app: web } }\n"
                        "  policyTypes: [Ingress]\n"
                        "  ingress:\n"
                        "    - from: [{ ipBlock: { cidr: 10.0.0.0/8, except: [10.0.0.0/16] } }]\n"
                        "      ports: [{ protocol: TCP, port: 80 }]\n",
                .inventory = INVENTORY
                             "  - { name: web-1, namespace: shop, labels: { app: web }, addresses: [10.0.0.2] }\n"
                             "  - { name: api-1, namespace: shop, labels: { app: api }, addresses: [10.0.0.3] }\n",
        },
        {
                .id = "VW209",
                .severity = DIAG_WARNING,
                .summary = "every address of one family, for endpoints that have both",
                .why = "0.0.0.0/0 does not cover IPv6, nor ::/0 IPv4.",
                .bad = NETWORK_POLICY("web")
                       "  podSelector: { matchLabels: { app: web } }\n"
                       "  policyTypes: [Ingress]\n"
                       "  ingress:\n"
                       "    - from: [{ ipBlock: { cidr: 0.0.0.0/0 } }]\n"
                       "      ports: [{ protocol: TCP, port: 80 }]\n",
                .good = NETWORK_POLICY("web")
                        "  podSelector: { matchLabels: { app: web } }\n"
                        "  policyTypes: [Ingress]\n"
                        "  ingress:\n"
                        "    - from: [{ ipBlock: { cidr: 0.0.0.0/0 } }, { ipBlock: { cidr: \"::/0\" } }]\n"
                        "      ports: [{ protocol: TCP, port: 80 }]\n",
                .inventory = INVENTORY
                             "  - { name: web-1, namespace: shop, labels: { app: web }, addresses: [10.0.0.2, \"fd00::2\"] }\n",
        },
        {
                .id = "VW210",
                .severity = DIAG_WARNING,
                .summary = "excepts that cover their whole cidr",
                .why = "The block matches no address.",
                .bad = NETWORK_POLICY("web")
                       "  podSelector: { matchLabels: { app: web } }\n"
                       "  policyTypes: [Ingress]\n"
                       "  ingress:\n"
                       "    - from: [{ ipBlock: { cidr: 192.0.2.0/24, except: [192.0.2.0/25, 192.0.2.128/25] } }]\n"
                       "      ports: [{ protocol: TCP, port: 80 }]\n",
                .good = NETWORK_POLICY("web")
                        "  podSelector: { matchLabels: { app: web } }\n"
                        "  policyTypes: [Ingress]\n"
                        "  ingress:\n"
                        "    - from: [{ ipBlock: { cidr: 192.0.2.0/24, except: [192.0.2.0/25] } }]\n"
                        "      ports: [{ protocol: TCP, port: 80 }]\n",
        },
        {
                .id = "VW211",
                .severity = DIAG_WARNING,
                .summary = "the port of the host where the container's own is meant",
                .why = "A policy sees a connection after the host has translated it, with the port that the "
                       "container listens on. The published number matches nothing.",
                .bad = NETWORK_POLICY("web")
                       "  podSelector: { matchLabels: { app: web } }\n"
                       "  policyTypes: [Ingress]\n"
                       "  ingress:\n"
                       "    - from: [{ podSelector: { matchLabels: { app: api } } }]\n"
                       "      ports: [{ protocol: TCP, port: 8080 }]\n",
                .good = NETWORK_POLICY("web")
                        "  podSelector: { matchLabels: { app: web } }\n"
                        "  policyTypes: [Ingress]\n"
                        "  ingress:\n"
                        "    - from: [{ podSelector: { matchLabels: { app: api } } }]\n"
                        "      ports: [{ protocol: TCP, port: 80 }]\n",
                .inventory = INVENTORY
                             "  - name: web-1\n"
                             "    namespace: shop\n"
                             "    labels: { app: web }\n"
                             "    addresses: [10.0.0.2]\n"
                             "    published: [{ port: 8080, target: 80, protocol: TCP }]\n"
                             "  - { name: api-1, namespace: shop, labels: { app: api }, addresses: [10.0.0.3] }\n",
        },
        {
                .id = "VW212",
                .severity = DIAG_WARNING,
                .summary = "a port that no destination has",
                .why = "Every destination lists its ports in the inventory, and none lists this one: it is a slip, "
                       "or is left from before. Ports that labels name, and what is published, are known too but "
                       "make no list.",
                .bad = NETWORK_POLICY("web")
                       "  podSelector: { matchLabels: { app: web } }\n"
                       "  policyTypes: [Ingress]\n"
                       "  ingress:\n"
                       "    - from: [{ podSelector: { matchLabels: { app: api } } }]\n"
                       "      ports: [{ protocol: TCP, port: 8081 }]\n",
                .good = NETWORK_POLICY("web")
                        "  podSelector: { matchLabels: { app: web } }\n"
                        "  policyTypes: [Ingress]\n"
                        "  ingress:\n"
                        "    - from: [{ podSelector: { matchLabels: { app: api } } }]\n"
                        "      ports: [{ protocol: TCP, port: 8000 }]\n",
                .inventory = INVENTORY
                             "  - name: web-1\n"
                             "    namespace: shop\n"
                             "    labels: { app: web }\n"
                             "    addresses: [10.0.0.2]\n"
                             "    ports: [{ name: http, port: 8000, protocol: TCP }]\n"
                             "  - { name: api-1, namespace: shop, labels: { app: api }, addresses: [10.0.0.3] }\n",
        },
        {
                .id = "VW213",
                .severity = DIAG_INFO,
                .summary = "ports or blocks of one rule that overlap",
                .why = "One of them says nothing new, and is left behind when the other is changed.",
                .bad = NETWORK_POLICY("web")
                       "  podSelector: { matchLabels: { app: web } }\n"
                       "  policyTypes: [Ingress]\n"
                       "  ingress:\n"
                       "    - from: [{ podSelector: { matchLabels: { app: api } } }]\n"
                       "      ports:\n"
                       "        - { protocol: TCP, port: 8000, endPort: 8080 }\n"
                       "        - { protocol: TCP, port: 8080 }\n",
                .good = NETWORK_POLICY("web")
                        "  podSelector: { matchLabels: { app: web } }\n"
                        "  policyTypes: [Ingress]\n"
                        "  ingress:\n"
                        "    - from: [{ podSelector: { matchLabels: { app: api } } }]\n"
                        "      ports:\n"
                        "        - { protocol: TCP, port: 8000, endPort: 8080 }\n"
                        "        - { protocol: TCP, port: 8443 }\n",
        },
        {
                .id = "VW214",
                .severity = DIAG_WARNING,
                .summary = "a rule that allows everything",
                .why = "The policy isolates and opens again: it restricts nothing.",
                .bad = NETWORK_POLICY("web")
                       "  podSelector: { matchLabels: { app: web } }\n"
                       "  policyTypes: [Ingress]\n"
                       "  ingress:\n"
                       "    - {}\n",
                .good = NETWORK_POLICY("web")
                        "  podSelector: { matchLabels: { app: web } }\n"
                        "  policyTypes: [Ingress]\n"
                        "  ingress:\n"
                        "    - from: [{ podSelector: { matchLabels: { app: api } } }]\n"
                        "      ports: [{ protocol: TCP, port: 80 }]\n",
        },
        {
                .id = "VW215",
                .severity = DIAG_WARNING,
                .summary = "a service that administers a machine or holds its data, open to much of the world",
                .why = "Ports 22, 23, 445, 1433, 1521, 2375, 2376, 2379, 3306, 3389, 5432, 5900, 5984, 6379, 6443, "
                       "9200, 10250, 11211 and 27017 are tried by everybody who scans. An ipBlock shorter than /16 "
                       "(/32 for IPv6) that is no private network, or no \"from\" at all, lets them.",
                .bad = NETWORK_POLICY("db")
                       "  podSelector: { matchLabels: { app: db } }\n"
                       "  policyTypes: [Ingress]\n"
                       "  ingress:\n"
                       "    - from: [{ ipBlock: { cidr: 0.0.0.0/0 } }]\n"
                       "      ports: [{ protocol: TCP, port: 5432 }]\n",
                .good = NETWORK_POLICY("db")
                        "  podSelector: { matchLabels: { app: db } }\n"
                        "  policyTypes: [Ingress]\n"
                        "  ingress:\n"
                        "    - from: [{ ipBlock: { cidr: 203.0.113.0/24 } }]\n"
                        "      ports: [{ protocol: TCP, port: 5432 }]\n",
        },
        {
                .id = "VW216",
                .severity = DIAG_INFO,
                .summary = "a port without a protocol",
                .why = "It means TCP alone; DNS and HTTP/3 need UDP.",
                .bad = NETWORK_POLICY("web")
                       "  podSelector: { matchLabels: { app: web } }\n"
                       "  policyTypes: [Ingress]\n"
                       "  ingress:\n"
                       "    - from: [{ podSelector: { matchLabels: { app: api } } }]\n"
                       "      ports: [{ port: 53 }]\n",
                .good = NETWORK_POLICY("web")
                        "  podSelector: { matchLabels: { app: web } }\n"
                        "  policyTypes: [Ingress]\n"
                        "  ingress:\n"
                        "    - from: [{ podSelector: { matchLabels: { app: api } } }]\n"
                        "      ports: [{ protocol: UDP, port: 53 }, { protocol: TCP, port: 53 }]\n",
        },
};
/* clang-format on */
const size_t lint_rules_rule_len = ARRAY_SIZE(lint_rules_rule);
