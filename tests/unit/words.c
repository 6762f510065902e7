// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The reader of command lines. Whatever it takes, a real shell must split in
 * the same way: every accepted text is given to sh as well, with x as a
 * function that shows its arguments.
 */
#include <unistd.h>

#include "words.h"
#include "tap.h"

/* Writes every command as its line number and its words in brackets; a refusal
 * as "LINE: why". */
static void render(char *out, size_t size, const char *text, size_t len)
{
	static struct words w;
	FILE *f = fmemopen(out, size, "w");
	int r;

	out[0] = '\0';
	words_start(&w, text, len);
	while ((r = words_next(&w)) > 0) {
		fprintf(f, "%lu", w.line);
		for (int i = 0; i < w.argc; i++)
			fprintf(f, "[%s]", w.argv[i]);
		fputc('\n', f);
		if (w.argv[w.argc])
			fprintf(f, "argv has no end\n");
	}
	if (r < 0)
		fprintf(f, "%lu: %s\n", w.line, w.error);
	fclose(f);
}

/* The same text, split by sh; without line numbers. */
static void render_sh(char *out, size_t size, const char *text)
{
	char path[] = "/tmp/words.XXXXXX", cmd[64];
	int fd = mkstemp(path);
	FILE *f = fdopen(fd, "w");
	size_t n;

	fprintf(f, "x() { printf '[%%s]' x \"$@\"; echo; }\n%s", text);
	fclose(f);
	snprintf(cmd, sizeof(cmd), "timeout 10 sh %s 2>&1", path);
	f = popen(cmd, "r");
	n = fread(out, 1, size - 1, f);
	out[n] = 0;
	pclose(f);
	unlink(path);
}

/* Takes the digits away that render() begins its lines with. */
static void drop_line_numbers(char *s)
{
	char *to = s;

	for (bool begin = true; *s; s++) {
		if (begin && *s >= '0' && *s <= '9')
			continue;
		begin = *s == '\n';
		*to++ = *s;
	}
	*to = 0;
}

static const struct {
	const char *text, *want;
} accepted[] = {
	{"", ""},
	{"\n\n  \n\t\n", ""},
	{"# only a comment", ""},
	{"x", "1[x]\n"},
	{"x a b\n", "1[x][a][b]\n"},
	{"  x\ta \t b  \n", "1[x][a][b]\n"},
	{"x a\nx b\n", "1[x][a]\n2[x][b]\n"},
	{"\n# c\nx a # b\nx b", "3[x][a]\n4[x][b]\n"},
	{"x a#b #c\n", "1[x][a#b]\n"},
	{"x a '' b\n", "1[x][a][][b]\n"},
	{"x \"\"\n", "1[x][]\n"},
	{"x 'a b' \"c d\"\n", "1[x][a b][c d]\n"},
	{"x a'b'\"c\"d\n", "1[x][abcd]\n"},
	{"x '\"' \"'\"\n", "1[x][\"][']\n"},
	{"x 'a\\b' '$x' '`' ';|&<>(){}*?[~'\n", "1[x][a\\b][$x][`][;|&<>(){}*?[~]\n"},
	{"x \"a\\\"b\" \"\\$x\" \"\\`\" \"\\\\\"\n", "1[x][a\"b][$x][`][\\]\n"},
	{"x \"a\\b\" \";|&<>(){}*?[~#\"\n", "1[x][a\\b][;|&<>(){}*?[~#]\n"},
	{"x a\\ b \\a \\\\ \\# \\' \\\" \\$ \\* \\~\n", "1[x][a b][a][\\][#]['][\"][$][*][~]\n"},
	{"x a~b b!\n", "1[x][a~b][b!]\n"},
	{"x !\n", "1[x][!]\n"},
	{"x a \\\n  b\nx c\n", "1[x][a][b]\n3[x][c]\n"},
	{"x ab\\\ncd\n", "1[x][abcd]\n"},
	{"x \"ab\\\ncd\"\n", "1[x][abcd]\n"},
	{"\\\nx a\n", "2[x][a]\n"},
	{"x a\\\n\\\n\\\nb\nx\n", "1[x][ab]\n5[x]\n"},
	{"x a # b \\\nx c\n", "1[x][a]\n2[x][c]\n"},
	{"x a \\\n# b\nx c\n", "1[x][a]\n3[x][c]\n"},
	{"x a\\\n#b\n", "1[x][a#b]\n"},
	{"x a=b ]\n", "1[x][a=b][]]\n"},
	{"x [fd00::2]:80 '[fd00::2]:80'\n", "1[x][[fd00::2]:80][[fd00::2]:80]\n"},
	{"x [::]:http", "1[x][[::]:http]\n"},
	{"x '\t'\n", "1[x][\t]\n"},
	{"x \303\244\n", "1[x][\303\244]\n"},
	{"x a", "1[x][a]\n"},
	{"x 'a'", "1[x][a]\n"},
};

static const struct {
	const char *text, *want;
} refused[] = {
	{"x\nx $EXTIP 80\n", "2: '$EXTIP' is a variable, which needs a shell: write its value\n"},
	{"x ${A}/b", "'${A}/b' is a variable"},
	{"x \"$A\"", "'$A' is a variable"},
	{"x $(date)", "'$(date)' is a command's output"},
	{"x `date`", "'`date`' is a command's output"},
	{"x \"`date`\"", "'`date`' is a command's output"},
	{"x; x", "';' is a second command"},
	{"x && x", "'&' is a second command"},
	{"x a&", "'&' is a second command"},
	{"x | cat", "'|' is a second command"},
	{"x >f", "'>f' is a redirection"},
	{"x 2>&1", "'>' is a redirection"},
	{"x <f", "'<f' is a redirection"},
	{"(x)", "'(x)' is a group"},
	{"{ x", "'{' is a group"},
	{"x {1,2}", "'{1,2}' is a group"},
	{"x *", "'*' is a pattern"},
	{"x a?", "'?' is a pattern"},
	{"x [ab]", "'[ab]' is a pattern"},
	{"x [ab]:80", "'[ab]:80' is a pattern"},
	{"x [fd00::2]", "'[fd00::2]' is a pattern"},
	{"x [fd00::*]:80", "'[fd00::*]:80' is a pattern"},
	{"x [fd00::", "'[fd00::' is a pattern"},
	{"x ~/f", "'~' is a home directory"},
	{"! x", "'!' is a negation"},
	{"x\n\nx 'a\nb'\n", "3: a ' is open at the end of the line"},
	{"x 'a", "a ' is open at the end of the line"},
	{"x \"a", "a \" is open at the end of the line"},
	{"x \"a\nb\"\n", "1: a \" is open at the end of the line"},
	{"x \"a\\", "a \" is open at the end of the line"},
	{"x \\", "a backslash with nothing after it"},
	{"x \001", "a control character (0x01)"},
	{"x '\033[1m'", "a control character (0x1b)"},
	{"x \"\177\"", "a control character (0x7f)"},
	{"x a \\\n  $b\n", "2: '$b' is a variable"},
};

int main(void)
{
	static const char dos[] = "x a\r\n\r\n# c\r\nx \\\r\n b\r\nx \"a\\\r\nb\"\r\n";
	static const char cr[] = "x a\r\r# c\rx \\\r b\rx \"a\\\rb\"\r\nx\n\rx c";
	static const char bom[] = "\357\273\277# c\n\357\273\277x\n";
	char got[16384], sh[16384], text[2 * WORDS_SIZE];

	for (size_t i = 0; i < sizeof(accepted) / sizeof(*accepted); i++) {
		render(got, sizeof(got), accepted[i].text, strlen(accepted[i].text));
		is_str(got, accepted[i].want, "accepted text %zu", i);
		drop_line_numbers(got);
		render_sh(sh, sizeof(sh), accepted[i].text);
		is_str(got, sh, "and a shell splits it so");
	}
	for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++) {
		render(got, sizeof(got), refused[i].text, strlen(refused[i].text));
		if (!ok(strstr(got, refused[i].want), "refused text %zu", i))
			fprintf(stderr, "#      got: %s\n# expected: %s\n", got, refused[i].want);
	}

	/* what a shell would not take */
	render(got, sizeof(got), dos, sizeof(dos) - 1);
	is_str(got, "1[x][a]\n4[x][b]\n6[x][ab]\n", "lines that end as in DOS");
	render(got, sizeof(got), cr, sizeof(cr) - 1);
	is_str(got, "1[x][a]\n4[x][b]\n6[x][ab]\n8[x]\n10[x][c]\n", "lines that end in CR");
	render(got, sizeof(got), "x 'a\rb'\r", 8);
	is_str(got, "1: a ' is open at the end of the line\n", "... also in a quote");
	render(got, sizeof(got), "x a\r\n", 4);
	is_str(got, "1[x][a]\n", "... and where the text ends");
	render(got, sizeof(got), bom, sizeof(bom) - 1);
	is_str(got, "2[\357\273\277x]\n", "a byte order mark, at the start alone");
	for (size_t n = 0; n <= 3; n++) {
		render(got, sizeof(got), bom, n);
		is_str(got, n == 1 || n == 2 ? (n == 1 ? "1[\357]\n" : "1[\357\273]\n") : "",
		       "... of %zu bytes", n);
	}
	render(got, sizeof(got), "x 'a\r\n'", 7);
	is_str(got, "1: a ' is open at the end of the line\n", "and an open quote on one");
	render(got, sizeof(got), "x\nx a\0b\n", 8);
	is_str(got, "1[x]\n2: a control character (0x00)\n", "a NUL");
	render(got, sizeof(got), "x # a\0b\nx\n", 10);
	is_str(got, "1[x]\n2[x]\n", "a NUL in a comment");
	render(got, sizeof(got), "x ab", 3);
	is_str(got, "1[x][a]\n", "nothing beyond the length is read");
	render(got, sizeof(got), "x \\\n", 3);
	is_str(got, "1: a backslash with nothing after it\n", "nor a line end there");

	/* limits, at both sides */
	for (int n = WORDS_MAX; n <= WORDS_MAX + 1; n++) {
		memset(text, 0, sizeof(text));
		for (int i = 0; i < n; i++)
			strcat(text, "x ");
		render(got, sizeof(got), text, strlen(text));
		ok(!!strstr(got, "more than 64 words") == (n > WORDS_MAX), "%d words", n);
	}
	for (int n = WORDS_SIZE - 1; n <= WORDS_SIZE; n++) {
		memset(text, 'x', (size_t)n);
		text[n] = 0;
		render(got, sizeof(got), text, strlen(text));
		ok(!!strstr(got, "more than 4096 characters") == (n == WORDS_SIZE), "%d characters",
		   n);
		/* an empty word needs its NUL as well */
		strcat(text, " ''");
		render(got, sizeof(got), text, strlen(text));
		ok(strstr(got, "more than 4096 characters"), "%d characters and an empty word", n);
	}
	return done_testing();
}
