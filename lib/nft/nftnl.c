// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * libnftnl's functions, under their own names, that load the library when the
 * first object is made. Chains, maps and rules need it; a forward beside others
 * is an element of a map, which libmnl alone writes. Loading libnftnl takes a
 * twelfth of the time of such an add (0.09 of 1.1 ms, medians of 100).
 *
 * Where it cannot be loaded, the functions that make an object return NULL with
 * errno ELIBACC, and dlerror(3) says why. All others are given an object, so it
 * is loaded. Once loaded it stays, for all threads.
 *
 * A static program leaves this file out: libnftnl is inside.
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <libnftnl/chain.h>
#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <libnftnl/set.h>

#define SONAME "libnftnl.so.11"

/* clang-format off */
#define MAKERS(x)                                                                                  \
	x(struct nftnl_chain *, nftnl_chain_alloc, (void), ())                                     \
	x(struct nftnl_expr *, nftnl_expr_alloc, (const char *name), (name))                       \
	x(struct nftnl_rule *, nftnl_rule_alloc, (void), ())                                       \
	x(struct nftnl_set *, nftnl_set_alloc, (void), ())

#define SETTER(x, result, object, kind, type)                                                      \
	x(result, nftnl_##object##_set_##kind,                                                     \
	  (struct nftnl_##object *o, uint16_t attr, type value), (o, attr, value))

#define DATA_SETTER(x, object, name)                                                               \
	x(int, name, (struct nftnl_##object *o, uint16_t attr, const void *data, uint32_t len),    \
	  (o, attr, data, len))

#define OTHERS(x)                                                                                  \
	SETTER(x, int, chain, str, const char *)                                                   \
	SETTER(x, void, chain, u32, uint32_t)                                                      \
	SETTER(x, void, chain, s32, int32_t)                                                       \
	SETTER(x, int, expr, str, const char *)                                                    \
	SETTER(x, void, expr, u8, uint8_t)                                                         \
	SETTER(x, void, expr, u32, uint32_t)                                                       \
	SETTER(x, void, expr, u64, uint64_t)                                                       \
	SETTER(x, int, rule, str, const char *)                                                    \
	SETTER(x, void, rule, u32, uint32_t)                                                       \
	SETTER(x, int, set, str, const char *)                                                     \
	SETTER(x, void, set, u32, uint32_t)                                                        \
	SETTER(x, void, set, u64, uint64_t)                                                        \
	DATA_SETTER(x, expr, nftnl_expr_set)                                                       \
	DATA_SETTER(x, rule, nftnl_rule_set_data)                                                  \
	DATA_SETTER(x, set, nftnl_set_set_data)                                                    \
	x(void, nftnl_rule_add_expr, (struct nftnl_rule *r, struct nftnl_expr *e), (r, e))         \
	x(void, nftnl_set_add_expr, (struct nftnl_set *s, struct nftnl_expr *e), (s, e))           \
	x(void, nftnl_chain_nlmsg_build_payload,                                                   \
	  (struct nlmsghdr *nlh, const struct nftnl_chain *c), (nlh, c))                           \
	x(void, nftnl_rule_nlmsg_build_payload, (struct nlmsghdr *nlh, struct nftnl_rule *r),      \
	  (nlh, r))                                                                                \
	x(void, nftnl_set_nlmsg_build_payload, (struct nlmsghdr *nlh, struct nftnl_set *s),        \
	  (nlh, s))                                                                                \
	x(void, nftnl_chain_free, (const struct nftnl_chain *c), (c))                              \
	x(void, nftnl_rule_free, (const struct nftnl_rule *r), (r))                                \
	x(void, nftnl_set_free, (const struct nftnl_set *s), (s))

#define MEMBER(result, name, parameters, arguments) result (*name) parameters;
#define TAKE(result, name, parameters, arguments) && take(library, #name, &found->name)
/* clang-format on */

struct nftnl {
	MAKERS(MEMBER) OTHERS(MEMBER)
};

static struct nftnl *loaded; /* NULL: not yet */

static bool take(void *library, const char *name, void *function)
{
	void *found = dlsym(library, name);

	memcpy(function, &found, sizeof(found));
	return found;
}

static struct nftnl *functions(void)
{
	return __atomic_load_n(&loaded, __ATOMIC_ACQUIRE);
}

/* Two threads may both do it, and then take what the first has found. */
static struct nftnl *load(void)
{
	struct nftnl *found = functions(), *none = NULL;
	void *library;

	if (found)
		return found;
	found = malloc(sizeof(*found));
	if (!found)
		return NULL;
	library = dlopen(SONAME, RTLD_NOW | RTLD_LOCAL);
	if (!(library MAKERS(TAKE) OTHERS(TAKE))) {
		free(found);
		errno = ELIBACC;
		return NULL;
	}
	if (!__atomic_compare_exchange_n(&loaded, &none, found, false, __ATOMIC_ACQ_REL,
					 __ATOMIC_ACQUIRE)) {
		free(found);
		found = none;
	}
	return found;
}

/* clang-format off */
#define MAKE(result, name, parameters, arguments)                                                  \
	result name parameters { struct nftnl *f = load(); return f ? f->name arguments : NULL; }
#define CALL(result, name, parameters, arguments)                                                  \
	result name parameters { return functions()->name arguments; }
/* clang-format on */

MAKERS(MAKE)
OTHERS(CALL)
