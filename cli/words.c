// SPDX-License-Identifier: GPL-2.0-or-later
#include <ctype.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "words.h"

#define END (-1)

/* What these characters mean outside quotes, and what to do instead. */
#define NEEDS_SHELL ", which needs a shell: "
#define VARIABLE "a variable" NEEDS_SHELL "write its value"
#define OUTPUT "a command's output" NEEDS_SHELL "write the text itself"
#define SECOND "a second command" NEEDS_SHELL "write one a line"
#define REDIRECTION "a redirection" NEEDS_SHELL "leave it out"
#define GROUP "a group" NEEDS_SHELL "write one command a line"
#define PATTERN "a pattern" NEEDS_SHELL "write what it stands for"

static const char *const shell_only[128] = {
	['$'] = VARIABLE,    ['`'] = OUTPUT,      [';'] = SECOND,  ['&'] = SECOND,  ['|'] = SECOND,
	['<'] = REDIRECTION, ['>'] = REDIRECTION, ['('] = GROUP,   [')'] = GROUP,   ['{'] = GROUP,
	['}'] = GROUP,       ['*'] = PATTERN,     ['?'] = PATTERN, ['['] = PATTERN,
};

static bool is_blank(int c)
{
	return c == ' ' || c == '\t';
}

/* True for what ends a word. A comment sign in a word does not. */
static bool is_between(int c)
{
	return c == END || c == '\n' || is_blank(c);
}

static int __attribute__((format(printf, 2, 3))) refuse(struct words *w, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(w->error, sizeof(w->error), fmt, ap);
	va_end(ap);
	w->line = w->at_line;
	w->start = w->at_start;
	return -1;
}

size_t words_line_end(const char *p, const char *end)
{
	if (p == end || (*p != '\n' && *p != '\r'))
		return 0;
	return end - p >= 2 && p[0] == '\r' && p[1] == '\n' ? 2 : 1;
}

static size_t line_end(const struct words *w, const char *p)
{
	return words_line_end(p, w->end);
}

/* Skips a character or the end of a line. */
static void step(struct words *w)
{
	size_t n = line_end(w, w->at);

	w->at += n ? n : 1;
	if (n) {
		w->at_line++;
		w->at_start = w->at;
	}
}

/* The next character where it may have another meaning, with continuation lines
 * joined; '\n' for any line end. */
static int peek_special(struct words *w)
{
	while (w->at < w->end && *w->at == '\\' && line_end(w, w->at + 1)) {
		w->at++;
		step(w);
	}
	if (w->at == w->end)
		return END;
	return line_end(w, w->at) ? '\n' : (unsigned char)*w->at;
}

/* The same of any. */
static inline int peek(struct words *w)
{
	return w->at < w->end && w->plain[(unsigned char)*w->at] ? (unsigned char)*w->at
								 : peek_special(w);
}

static void skip_comment(struct words *w)
{
	while (w->at < w->end && !line_end(w, w->at))
		w->at++;
}

/* Refuses the character here and quotes the rest of its word. */
static int refuse_shell(struct words *w, int c)
{
	int n = 1;

	while (n < 32 && w->end - w->at > n && w->at[n] > ' ' && w->at[n] < 0x7f &&
	       !strchr("\"';|&<>", w->at[n]))
		n++;
	if (c == '$' && n > 1 && w->at[1] == '(')
		c = '`';
	return refuse(w, "'%.*s' is %s", n, w->at, shell_only[c]);
}

static int put(struct words *w, const char *s, size_t n)
{
	if (n > WORDS_SIZE - w->used)
		return refuse(w, "a command of more than %d characters", WORDS_SIZE);
	memcpy(w->store + w->used, s, n);
	w->used += n;
	return 0;
}

/* Appends the character at w->at to the word. */
static int take(struct words *w)
{
	const char *p = w->at;
	unsigned char c = (unsigned char)*p;

	if ((c < ' ' && c != '\t') || c == 0x7f)
		return refuse(w, "a control character (0x%02x)", c);
	step(w);
	return put(w, p, 1);
}

/* How many characters from here on have no special meaning: nearly all. */
static size_t plain(const struct words *w)
{
	const char *p = w->at, *end = w->end;

	while (p < end && w->plain[(unsigned char)*p] == WORDS_PLAIN)
		p++;
	return (size_t)(p - w->at);
}

/* Reads from after the opening quote to after the closing one. */
static int read_quoted(struct words *w, int quote)
{
	for (;;) {
		int c = w->at == w->end ? END : (unsigned char)*w->at;

		if (quote == '"')
			c = peek(w);
		if (c == END || line_end(w, w->at))
			return refuse(w, "a %c is open at the end of the line", quote);
		if (c == quote) {
			step(w);
			return 0;
		}
		if (quote == '"') {
			if (c == '$' || c == '`')
				return refuse_shell(w, c);
			/* a backslash before anything else stands for itself */
			if (c == '\\' && w->end - w->at > 1 && strchr("$`\"\\", w->at[1]) &&
			    w->at[1])
				step(w);
		}
		if (take(w))
			return -1;
	}
}

/* [fd00::2]:80 is a pattern for a shell, too; but no file has a name that it
 * could stand for, so that it stands for itself. */
static bool is_endpoint(const struct words *w)
{
	const char *p = w->at + 1;
	bool colon = false;

	for (; p < w->end && (isxdigit((unsigned char)*p) || *p == ':' || *p == '.'); p++)
		colon |= *p == ':';
	return colon && w->end - p >= 2 && p[0] == ']' && p[1] == ':';
}

/* A word that begins with c. */
static int read_word(struct words *w, int c, bool first)
{
	int err;
	size_t n;

	if (c == '~')
		return refuse(w, "'~' is a home directory" NEEDS_SHELL "write its name");
	if (c == '!' && first)
		return refuse(w, "'!' is a negation" NEEDS_SHELL "leave it out");
	for (; !is_between(c); c = peek(w)) {
		n = plain(w);
		if (n) {
			err = put(w, w->at, n);
			w->at += n;
		} else if (c == '\'' || c == '"') {
			step(w);
			err = read_quoted(w, c);
		} else if (c == '\\') {
			step(w);
			if (w->at == w->end)
				return refuse(w, "a backslash with nothing after it");
			err = take(w);
		} else if (c < 128 && shell_only[c] && !(c == '[' && is_endpoint(w))) {
			return refuse_shell(w, c);
		} else {
			err = take(w);
		}
		if (err)
			return err;
	}
	return 0;
}

void words_start(struct words *w, const char *text, size_t len)
{
	static const char bom[] = "\xef\xbb\xbf"; /* U+FEFF in UTF-8: editors write it */

	w->end = text + len;
	if (len >= strlen(bom) && !memcmp(text, bom, strlen(bom)))
		text += strlen(bom);
	w->at = w->at_start = w->start = text;
	w->at_line = w->line = 1;
	w->argc = 0;
	w->argv[0] = NULL;
	w->error[0] = 0;
	for (int c = 0; c <= UCHAR_MAX; c++)
		w->plain[c] = is_blank(c) ? WORDS_BLANK
			      : c > ' ' && c < 0x7f && !strchr("'\"\\", c) && !shell_only[c]
				      ? WORDS_PLAIN
				      : 0;
}

int words_next(struct words *w)
{
	unsigned long line = 0;
	const char *start = NULL;
	int c;

	w->argc = 0;
	w->used = 0;
	while ((c = peek(w)) != END) {
		if (is_blank(c)) {
			w->at++;
		} else if (c == '#') {
			skip_comment(w);
		} else if (c == '\n') {
			step(w);
			if (w->argc)
				break;
		} else {
			if (w->argc == WORDS_MAX)
				return refuse(w, "a command of more than %d words", WORDS_MAX);
			if (!w->argc) {
				line = w->at_line;
				start = w->at_start;
			}
			w->argv[w->argc] = w->store + w->used;
			if (read_word(w, c, !w->argc) || put(w, "", 1))
				return -1;
			w->argc++;
		}
	}
	w->argv[w->argc] = NULL;
	if (!w->argc)
		return 0;
	w->line = line;
	w->start = start;
	return 1;
}
