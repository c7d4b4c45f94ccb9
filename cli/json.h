#ifndef ROWCAST_JSON_H
#define ROWCAST_JSON_H

#include "buffer.h"

/*
 * A JSON writer that appends to a buffer.  Pure.
 *
 *	json_open(b, NULL, '{');
 *	json_text(b, "topic", e->topic);
 *	json_number(b, "id", e->id);
 *	json_close(b, '}');
 *
 *   name     of the member; NULL in an array
 *   source   RFC 8259
 */

/* Write '{' or '[', after a comma if one is needed; and '}' or ']'. */
void json_open(struct buffer *b, const char *name, char bracket);
void json_close(struct buffer *b, char bracket);

/*
 * Write a string.  The value may hold any bytes: control characters are
 * escaped, and malformed UTF-8 is replaced by U+FFFD.
 */
void json_text(struct buffer *b, const char *name, struct text value);
void json_string(struct buffer *b, const char *name, const char *value);
void json_number(struct buffer *b, const char *name, int64_t value);
void json_bool(struct buffer *b, const char *name, bool value);
void json_null(struct buffer *b, const char *name);

#endif
