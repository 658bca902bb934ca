/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What decided a flow, as the commands write it. */
#pragma once

#include <stdbool.h>

#include <vethwall/policy.h>
#include <vethwall/strbuf.h>
#include <vethwall/world.h>

/* "ns/name"; a cluster-wide policy has its name alone. */
void put_policy(struct strbuf *buf, const struct policy *policy);

/* "file:line" */
void put_loc(struct strbuf *buf, const struct policy_set *policies, const struct src_loc *loc);

/* Where the cause stands: the rule, or the policy that isolates. NULL: nowhere. */
const struct src_loc *cause_loc(const struct cause *cause);

/* The same as a JSON string; null for NULL. */
void put_policy_json(struct strbuf *buf, const struct policy *policy);

/* "file": ..., "line": ...; null where they are not known, or loc is NULL. */
void put_place_json(struct strbuf *buf, const struct policy_set *policies, const struct src_loc *loc);

/* {"verdict": ..., "tier": ..., "policy": ..., "rule": ..., "file": ..., "line": ...}; no tier unless judged. */
void put_cause_json(struct strbuf *buf, const struct policy_set *policies, const struct cause *cause, bool judged);
