// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Services, with neither kernel nor root: every recorded trace of the 2.2
 * scheduling, what the recordings leave out, and that service_advance() does
 * the same as one connection after the other.
 */
#include <errno.h>

#include "request.h"
#include "services.h"
#include "tap.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

/* ---- services as text: "10.0.0.2:80 3/10, 10.0.0.3:0 1/1" in serving order
 * ---- */

static const char *shown(const struct service *s)
{
	static char out[4096];
	size_t n = 0;

	out[0] = '\0';
	for (size_t i = 0; i < s->n && n < sizeof(out) - 64; i++) {
		const struct target *t = service_target(s, i);
		char addr[ADDRESS_TEXT_MAX];

		n += (size_t)snprintf(out + n, sizeof(out) - n, "%s%s:%u %u/%u", i ? ", " : "",
				      address_text(addr, &t->addr), t->port, t->left, t->pref);
	}
	return out;
}

/* ---- the recorded traces ---- */

#ifdef WITH_JSON
#include <jansson.h>

/* The traces have addresses of IPv4. Replayed with IPv6, each stands for the
 * one of IPv6 that ends with it. */
static int family = AF_INET;

static struct masq_address translated(const struct masq_address *four)
{
	struct masq_address six = {.family = AF_INET6};

	if (family == AF_INET)
		return *four;
	if (!address_is_any(four)) {
		six.in6.s6_addr[0] = 0xfd;
		memcpy(&six.in6.s6_addr[12], &four->in, sizeof(four->in));
	}
	return six;
}

static const char *text_of_address(char buf[ADDRESS_TEXT_MAX], const struct masq_address *a)
{
	struct masq_address four = {.family = AF_INET};

	if (a->family != family)
		return "of the other family";
	if (family == AF_INET6)
		memcpy(&four.in, &a->in6.s6_addr[12], sizeof(four.in));
	return address_text(buf, family == AF_INET6 ? &four : a);
}

static char *word_of(const char *word)
{
	char text[ADDRESS_TEXT_MAX];
	struct masq_address four;

	if (!masq_parse_address(&four, word))
		return strdup(word);
	four = translated(&four);
	return strdup(address_text(text, &four));
}

/* After a command that fails a table is good for nothing, so a transaction
 * works on a copy. */
static struct table table_copy(const struct table *t)
{
	struct table copy = {.next_born = t->next_born};

	for (size_t i = 0; i < t->n; i++) {
		struct service *s = table_put(&copy, &t->services[i].key);

		if (!s)
			abort();
		*s = copy_of(&t->services[i]);
	}
	return copy;
}

static const char *text_of(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text ? text : "";
}

static uint32_t number_of(const json_t *object, const char *name)
{
	return (uint32_t)json_integer_value(json_object_get(object, name));
}

/* Whether a command line did what it was recorded to do; else why not. */
static bool command(struct table *t, const json_t *step, char *why, size_t size)
{
	const json_t *words = json_object_get(step, "argv");
	bool wanted = json_is_true(json_object_get(step, "ok"));
	char *argv[24] = {NULL};
	struct table before = table_copy(t);
	struct request req;
	int argc = (int)json_array_size(words), err;

	if (argc < 1 || argc >= (int)COUNT(argv))
		abort();
	for (int i = 0; i < argc; i++)
		argv[i] = word_of(json_string_value(json_array_get(words, (size_t)i)));
	err = request_read(&req, kind_find(argv[0]), argc, argv);
	if (err || req.action != ACT_DO) {
		snprintf(why, size, "does not parse: %s", req.error.text);
		wanted = !wanted;
	} else {
		err = kind_apply(t, &req.command);
		snprintf(why, size, "gives %d where it %s", err, wanted ? "succeeds" : "fails");
	}
	for (int i = 0; i < argc; i++)
		free(argv[i]);
	if (err) {
		table_free(t);
		*t = before;
	} else {
		table_free(&before);
	}
	return !err == wanted;
}

/* The service that a connection finds. */
static struct service *lookup(struct table *t, const json_t *step, bool mfw)
{
	struct key key = {
		.kind = MASQ_MFW, .local.family = family, .mark = number_of(step, "mark")};
	struct service *s;

	if (!mfw) {
		key = (struct key){.kind = MASQ_PORTFW};
		if (!masq_parse_protocol(&key.protocol, text_of(step, "proto")) ||
		    !masq_parse_address(&key.local, text_of(step, "dst")))
			abort();
		key.local = translated(&key.local);
		key.port = (uint16_t)number_of(step, "dport");
	}
	s = table_get(t, &key);
	return s && s->n ? s : NULL;
}

static bool connection(struct table *t, const json_t *step, bool mfw, char *why, size_t size)
{
	struct service *s = lookup(t, step, mfw);
	char to[64] = "", addr[ADDRESS_TEXT_MAX];

	if (s) {
		const struct target *head = service_target(s, 0);

		snprintf(to, sizeof(to), "%s:%u", text_of_address(addr, &head->addr),
			 head->port ? head->port : number_of(step, "dport"));
		service_advance(s, 1);
	}
	snprintf(why, size, "goes to \"%s\" instead of \"%s\"", to, text_of(step, "to"));
	return !strcmp(to, text_of(step, "to"));
}

static json_t *state(const struct table *t)
{
	json_t *all = json_object();

	for (size_t i = 0; i < t->n; i++) {
		const struct service *s = &t->services[i];
		char name[80], addr[ADDRESS_TEXT_MAX];
		json_t *targets = json_array();

		if (s->key.kind == MASQ_MFW)
			snprintf(name, sizeof(name), "mark %u", s->key.mark);
		else
			snprintf(name, sizeof(name), "%s %s %u",
				 masq_protocol_name(s->key.protocol),
				 text_of_address(addr, &s->key.local), s->key.port);
		for (size_t j = 0; j < s->n; j++) {
			const struct target *target = service_target(s, j);

			json_array_append_new(targets,
					      json_pack("[s, i, I, I]",
							text_of_address(addr, &target->addr),
							(int)target->port, (json_int_t)target->left,
							(json_int_t)target->pref));
		}
		if (s->n)
			json_object_set_new(all, name, targets);
		else
			json_decref(targets);
	}
	return all;
}

static bool listing(const struct table *t, const json_t *step, char *why, size_t size)
{
	json_t *is = state(t);
	bool good = json_equal(is, json_object_get(step, "state"));
	char *text = json_dumps(is, JSON_COMPACT);

	snprintf(why, size, "lists %s", text ? text : "?");
	free(text);
	json_decref(is);
	return good;
}

static void replay(const json_t *trace, bool mfw)
{
	const json_t *steps = json_object_get(trace, "steps"), *step;
	struct table t = {0};
	size_t i;

	json_array_foreach(steps, i, step)
	{
		const char *what = text_of(step, "do");
		char why[1024];
		bool good;

		if (!strcmp(what, "command"))
			good = command(&t, step, why, sizeof(why));
		else if (!strcmp(what, "connect"))
			good = connection(&t, step, mfw, why, sizeof(why));
		else
			good = listing(&t, step, why, sizeof(why));
		if (!good) {
			char *text = json_dumps(step, JSON_COMPACT);

			fprintf(stderr, "# step %zu, %s: %s\n", i + 1, text ? text : "?", why);
			free(text);
			break;
		}
	}
	ok(i > 0 && i == json_array_size(steps), "trace %s, %s", text_of(trace, "trace"),
	   address_family_name(family));
	table_free(&t);
}

static void traces(const char *path, bool mfw)
{
	FILE *f = fopen(path, "re");
	char *line = NULL;
	size_t size = 0;
	int n = 0;

	if (!f) {
		ok(false, "%s can be read", path);
		return;
	}
	while (getline(&line, &size, f) > 0) {
		json_t *trace = json_loads(line, 0, NULL);

		n++;
		if (trace)
			replay(trace, mfw);
		else
			ok(false, "%s, line %d is JSON", path, n);
		json_decref(trace);
	}
	free(line);
	fclose(f);
	is_int(n, 60, "all of %s", path);
}

static void all_traces(void)
{
	static const int families[] = {AF_INET, AF_INET6};

	for (size_t i = 0; i < COUNT(families); i++) {
		family = families[i];
		traces("tests/data/scheduling-portfw.jsonl", false);
		traces("tests/data/scheduling-mfw.jsonl", true);
	}
}
#else
static void all_traces(void)
{
	ok(true, "recorded traces # SKIP built without jansson");
	fprintf(stderr, "# tests/unit/service.c: no recorded trace was replayed: built without "
			"jansson\n");
}
#endif

/* ---- what no recording says ---- */

static struct masq_address address_a, address_b, address_c;
#define A (&address_a)
#define B (&address_b)
#define C (&address_c)

static void set_addresses(void)
{
	address_a = address_v4(htonl(0x0a000001));
	address_b = address_v4(htonl(0x0a000002));
	address_c = address_v4(htonl(0x0a000003));
}

static void drained(void)
{
	struct service s = mfw_service();

	service_insert(&s, false, A, 0, 0);
	service_advance(&s, 3);
	is_str(shown(&s), "10.0.0.1:0 0/0", "one target of pref 0 serves");
	is_int((long long)service_target(&s, 0)->served, 3, "... every connection");
	service_insert(&s, false, B, 0, 0);
	service_advance(&s, 2);
	is_str(shown(&s), "10.0.0.1:0 0/0, 10.0.0.2:0 0/0", "of two, the head serves");
	is_int((long long)service_target(&s, 0)->served, 5, "... every connection");
	service_end_turn(&s);
	is_str(shown(&s), "10.0.0.2:0 0/0, 10.0.0.1:0 0/0", "-S moves it back even so");
	service_insert(&s, false, C, 0, 2);
	is_str(shown(&s), "10.0.0.3:0 2/2, 10.0.0.2:0 0/0, 10.0.0.1:0 0/0",
	       "one with more comes before both");
	service_advance(&s, 5);
	is_str(shown(&s), "10.0.0.3:0 1/2, 10.0.0.2:0 0/0, 10.0.0.1:0 0/0",
	       "... and serves every connection");
	is_int((long long)service_target(&s, 0)->served, 5, "... of five");
	is_int(service_edit(&s, B, 0, 1), 0, "-E restores a drained target");
	is_str(shown(&s), "10.0.0.3:0 1/2, 10.0.0.2:0 1/1, 10.0.0.1:0 0/0", "... where it is");
	service_advance(&s, 1);
	is_str(shown(&s), "10.0.0.2:0 1/1, 10.0.0.1:0 0/0, 10.0.0.3:0 2/2", "... its turn comes");
	service_advance(&s, 1);
	is_str(shown(&s), "10.0.0.3:0 2/2, 10.0.0.2:0 1/1, 10.0.0.1:0 0/0",
	       "... and the drained one behind it has none");
	is_int(service_edit(&s, C, 0, 0), 0, "-E drains the head in its turn");
	is_str(shown(&s), "10.0.0.2:0 1/1, 10.0.0.1:0 0/0, 10.0.0.3:0 0/0",
	       "... which goes behind the next that has more");
	service_advance(&s, 7);
	is_int((long long)service_target(&s, 0)->served, 8, "... and that one serves alone");
	service_end_turn(&s);
	is_str(shown(&s), "10.0.0.2:0 1/1, 10.0.0.1:0 0/0, 10.0.0.3:0 0/0", "... after -S as well");
	is_int(service_delete(&s, B, 0), 0, "it is deleted");
	is_str(shown(&s), "10.0.0.1:0 0/0, 10.0.0.3:0 0/0", "... and the drained ones serve again");
	service_insert(&s, true, B, 0, 0);
	is_str(shown(&s), "10.0.0.2:0 0/0, 10.0.0.1:0 0/0, 10.0.0.3:0 0/0",
	       "-I of one more comes first among equals");
	service_free(&s);
}

static void frozen(void)
{
	struct service m = mfw_service(), p = portfw_service();

	service_insert(&m, false, A, 0, 3);
	service_insert(&p, true, A, 80, 3);
	service_advance(&m, 4);
	service_advance(&p, 4);
	is_str(shown(&m), "10.0.0.1:0 3/3", "a mark's only target keeps its count");
	is_int((long long)service_target(&m, 0)->served, 4, "... and tells how many it served");
	is_str(shown(&p), "10.0.0.1:80 2/3", "a port's counts on");
	service_insert(&m, false, B, 0, 1);
	service_advance(&m, 2);
	is_str(shown(&m), "10.0.0.1:0 1/3, 10.0.0.2:0 1/1", "with a second one it counts");
	service_delete(&m, B, 0);
	service_advance(&m, 10);
	is_str(shown(&m), "10.0.0.1:0 1/3", "alone again it stands still");
	service_end_turn(&m);
	is_str(shown(&m), "10.0.0.1:0 1/3", "... also when its turn is to end");
	service_insert(&m, false, B, 0, 1);
	service_advance(&m, 1);
	is_str(shown(&m), "10.0.0.2:0 1/1, 10.0.0.1:0 3/3", "and goes on with a second one");
	service_free(&m);
	service_free(&p);
}

static void empty(void)
{
	struct service s = mfw_service();

	service_advance(&s, 7);
	service_end_turn(&s);
	is_int((long long)s.n, 0, "a service without targets takes connections and -S");
	is_int(service_edit(&s, NULL, 0, 1), -ESRCH, "... has nothing to edit");
	is_int(service_delete(&s, NULL, 0), -ESRCH, "... nor to delete");
	ok(!service_counts(&s) && !service_period(&s), "... counts nothing");
}

static void wildcards(void)
{
	struct service s = mfw_service();

	service_insert(&s, false, A, 80, 1);
	service_insert(&s, false, A, 81, 2);
	service_insert(&s, false, B, 80, 3);
	is_int(service_edit(&s, A, 0, 5), 0, "edit any port of a host");
	is_str(shown(&s), "10.0.0.1:80 5/5, 10.0.0.1:81 5/5, 10.0.0.2:80 3/3", "... both");
	is_int(service_edit(&s, NULL, 80, 4), 0, "edit a port of any host");
	is_str(shown(&s), "10.0.0.1:80 4/4, 10.0.0.1:81 5/5, 10.0.0.2:80 4/4", "... both");
	is_int(service_edit(&s, B, 81, 4), -ESRCH, "host and port must be one target's");
	is_int(service_delete(&s, B, 81), -ESRCH, "... to delete as well");
	is_int(service_delete(&s, NULL, 80), 0, "delete a port of any host");
	is_str(shown(&s), "10.0.0.1:81 5/5", "... the rest stays");
	is_int(service_edit(&s, NULL, 0, 6), 0, "edit all");
	is_int(service_delete(&s, NULL, 0), 0, "delete all");
	is_str(shown(&s), "", "... none is left");
	service_free(&s);
}

/* The sum of the prefs is the modulus of a 32-bit counter. */
static void limits(void)
{
	struct service s = portfw_service(), before;

	is_int(service_insert(&s, true, A, 80, INT32_MAX), 0, "the largest pref");
	is_int(service_insert(&s, true, B, 80, INT32_MAX), 0, "twice");
	is_int(service_insert(&s, true, C, 80, 1), 0, "and 1 are 2^32 - 1");
	is_int((long long)service_period(&s), UINT32_MAX, "... in all");
	before = copy_of(&s);
	is_int(service_insert(&s, true, C, 81, 1), -EOVERFLOW, "one more is too much");
	ok(same(&s, &before), "... and nothing has changed");
	is_int(service_edit(&s, C, 0, 2), -EOVERFLOW, "as an edit, too");
	ok(same(&s, &before), "... and nothing has changed");
	is_int(service_edit(&s, NULL, 0, INT32_MAX), -EOVERFLOW, "all the largest");
	ok(same(&s, &before), "... and nothing has changed");
	is_int(service_edit(&s, A, 0, INT32_MAX - 1), 0, "what is edited counts once");
	is_int(service_edit(&s, A, 0, INT32_MAX), 0, "... and back");
	is_int(service_insert(&s, true, C, 81, 0), 0, "a drained one more is not");
	is_int(service_delete(&s, C, 81), 0, "... and goes");
	service_advance(&s, 1ull + INT32_MAX);
	is_str(shown(&s),
	       "10.0.0.1:80 2147483647/2147483647, 10.0.0.3:80 1/1, 10.0.0.2:80 "
	       "2147483647/2147483647",
	       "two turns of that many");
	service_advance(&s, UINT64_MAX / UINT32_MAX * UINT32_MAX);
	is_str(shown(&s),
	       "10.0.0.1:80 2147483647/2147483647, 10.0.0.3:80 1/1, 10.0.0.2:80 "
	       "2147483647/2147483647",
	       "whole rounds leave it as it is");
	is_int((long long)service_target(&s, 1)->served, (long long)(UINT64_MAX / UINT32_MAX + 1),
	       "... and are counted");
	service_free(&before);
	service_free(&s);
}

/* ---- one after the other ---- */

static void by_steps(void)
{
	size_t different = 0, tried = 5000;

	for (size_t i = 0; i < tried; i++) {
		struct service s = any_service(1 + any(9)), at_once = copy_of(&s),
			       slow = copy_of(&s);
		uint32_t n = any(200);

		service_advance(&at_once, n);
		for (uint32_t j = 0; j < n; j++) {
			service_advance(&s, 1);
			serve(&slow);
			different += !same(&s, &slow);
		}
		different += !same(&s, &at_once);
		service_free(&s);
		service_free(&at_once);
		service_free(&slow);
	}
	is_int((long long)different, 0,
	       "%zu services: n connections come to the same as n times one", tried);
}

/* Once every turn that had begun is over, whole rounds change nothing but what
 * was served. */
static void by_rounds(void)
{
	size_t different = 0, tried = 5000;

	for (size_t i = 0; i < tried; i++) {
		struct service s = any_service(1 + any(1000)), later;
		uint64_t period = service_period(&s), rounds = any(UINT32_MAX);

		service_advance(&s, period + any(1000));
		later = copy_of(&s);
		service_advance(&later, rounds * period);
		for (size_t j = 0; j < s.n; j++)
			service_targets(&s)[j].served +=
				service_counts(&s) ? rounds * service_target(&s, j)->pref
						   : (j ? 0 : rounds * period);
		different += !same(&s, &later);
		service_free(&s);
		service_free(&later);
	}
	is_int((long long)different, 0, "%zu services: rounds by the thousand million", tried);
}

int main(void)
{
	set_addresses();
	all_traces();
	drained();
	frozen();
	empty();
	wildcards();
	limits();
	by_steps();
	by_rounds();
	return done_testing();
}
