// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands.h"
#include "tap.h"

/* More than two pieces, and one begun. */
#define MANY 600

static void test_list(void)
{
	struct commands list = {0};
	struct masq_command c = {.size = sizeof(c)};
	size_t bad = 0;

	for (uint32_t i = 0; i < MANY; i++) {
		c.mark = i;
		bad += commands_add(&list, &c) != 0;
	}
	is_int((long long)bad, 0, "%d commands are taken", MANY);
	is_int((long long)list.n, MANY, "... and counted");
	for (size_t i = 0; i < MANY; i++)
		bad += commands_nth(&list, i)->mark != i;
	is_int((long long)bad, 0, "... and stand where they were put");
	for (size_t i = 0; i < MANY; i++) {
		commands_forget(&list, i);
		for (size_t k = i; k < MANY; k += 97)
			bad += commands_nth(&list, k)->mark != k;
	}
	is_int((long long)bad, 0, "those from the one on that is asked for are not forgotten");
	ok(!list.pieces[0] && !list.pieces[1], "... and those before it are, as pieces");
	c.mark = MANY;
	is_int(commands_add(&list, &c), 0, "it goes on");
	is_int(commands_nth(&list, MANY)->mark, MANY, "... behind the last");
	commands_free(&list);
	is_int((long long)list.n, 0, "freed, it is empty");
	is_int(commands_add(&list, &c), 0, "... and can be used again");
	is_int(commands_nth(&list, 0)->mark, MANY, "... from the start");
	commands_free(&list);
}

static void test_empty(void)
{
	struct commands list = {0};

	commands_free(&list);
	ok(!list.pieces, "nothing can be freed");
}

int main(void)
{
	test_list();
	test_empty();
	return done_testing();
}
