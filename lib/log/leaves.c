/*
 * Rows of events in the leaves of a damaged file.
 *
 * A first pass notes where each cell is that looks like an event; a row is
 * decoded, with its overflow pages, when it is asked for.
 * Invariant: each length of the file is compared with what is there before it
 * is used.
 *   source   "SQLite Database File Format", 1.6 and 2.1
 */
#include "leaves.h"

#include <stdlib.h>
#include <string.h>

#include "image.h"

#define LEAF_OF_TABLE 0x0d
#define LEAF_HEADER_BYTES 8
#define COLUMNS 7 /* id topic event data retry_ms key created_ms */
#define VARINT_MAX 9
#define HEADER_MAX 600    /* of a record: with added columns */
#define OVERFLOW_READS 16 /* of each page; a sound file needs one */
#define TYPE_OF_TEXT(t) ((t) >= 13 && (t) % 2 == 1)
#define LENGTH_OF_TEXT(t) (((t)-13) / 2)

/* Where a row is. */
struct place {
	int64_t id;
	uint32_t page;
	uint32_t offset;
};

/*
 *   row    of the last leaves_find(), as one run of bytes
 *   reads  of overflow pages that are left.  Without a limit, many rows whose
 *          chains run in one circle would take years
 *   bytes  of one page
 */
struct leaves {
	struct image image;
	struct place *places; /* sorted by id */
	size_t n, cap;
	uint64_t reads;
	unsigned char *row;
	unsigned char bytes[IMAGE_PAGE_MAX];
};

/* A cell of a leaf: a row with its length, its id, and its first part. */
struct cell {
	uint64_t len;
	int64_t id;
	uint32_t local;  /* bytes of the row in this page, ... */
	uint32_t offset; /* ... from here on */
};

/* Read a number of 1 to 9 bytes before end.  Returns where it ends; NULL if it
   does not. */
static const unsigned char *
read_varint(const unsigned char *at, const unsigned char *end, uint64_t *value)
{
	*value = 0;
	for (int i = 0; i < VARINT_MAX; i++, at++) {
		if (at == end)
			return NULL;
		if (i == VARINT_MAX - 1) {
			*value = *value << 8 | *at;
			return at + 1;
		}
		*value = *value << 7 | (*at & 0x7f);
		if (*at < 0x80)
			return at + 1;
	}
	return NULL;
}

/* How much of a row of len bytes is in its leaf. */
static uint32_t
local_part(uint32_t usable, uint64_t len)
{
	const uint32_t least = (usable - 12) * 32 / 255 - 23;
	uint32_t part;

	if (len <= usable - 35)
		return (uint32_t)len;
	part = least + (uint32_t)((len - least) % (usable - 4));
	return part <= usable - 35 ? part : least;
}

static bool
read_cell(const struct leaves *l, uint32_t offset, struct cell *c)
{
	const unsigned char *end = l->bytes + l->image.usable;
	const unsigned char *at = l->bytes + offset;
	uint64_t id;

	if (offset >= l->image.usable ||
	    (at = read_varint(at, end, &c->len)) == NULL ||
	    (at = read_varint(at, end, &id)) == NULL)
		return false;
	c->id = (int64_t)id;
	c->offset = (uint32_t)(at - l->bytes);
	/* INT32_MAX: no row of SQLite is longer */
	if (c->len > INT32_MAX ||
	    c->len > (uint64_t)l->image.pages * l->image.page_bytes)
		return false;
	c->local = local_part(l->image.usable, c->len);
	return c->local + (c->local < c->len ? 4 : 0) <=
	    l->image.usable - c->offset;
}

/* ---- records ---- */

/* Read the types of the columns of an event, and where the first value begins.
   Returns false if this is no event. */
static bool
read_types(const unsigned char *row, uint32_t local, uint64_t len,
    uint64_t types[COLUMNS], uint64_t *values)
{
	const unsigned char *at = row, *end;
	uint64_t total;

	at = read_varint(at, row + local, values);
	if (at == NULL || *values > local || *values > HEADER_MAX ||
	    *values < (uint64_t)(at - row))
		return false;
	end = row + *values;
	total = *values;
	for (int i = 0; i < COLUMNS; i++) {
		static const unsigned char sizes[] = { 0, 1, 2, 3, 4, 6, 8, 8,
			0, 0, 0, 0 };

		at = read_varint(at, end, &types[i]);
		if (at == NULL)
			return false;
		total += types[i] < 12 ? sizes[types[i]] : (types[i] - 12) / 2;
		if (total > len)
			return false;
	}
	return true;
}

static bool
is_short_text(uint64_t type)
{
	return TYPE_OF_TEXT(type) && LENGTH_OF_TEXT(type) <= EVENT_NAME_MAX;
}

static bool
is_integer(uint64_t type)
{
	return (type >= 1 && type <= 6) || type == 8 || type == 9;
}

static bool
is_event(const struct leaves *l, const struct cell *c)
{
	uint64_t types[COLUMNS], values;

	return c->id >= 1 && c->id <= EVENT_ID_MAX &&
	    read_types(l->bytes + c->offset, c->local, c->len, types,
		&values) &&
	    types[0] == 0 && is_short_text(types[1]) &&
	    is_short_text(types[2]) && types[2] > 13 &&
	    TYPE_OF_TEXT(types[3]) && (types[4] == 0 || is_integer(types[4])) &&
	    (types[5] == 0 || is_short_text(types[5])) && is_integer(types[6]);
}

static int64_t
integer_of(const unsigned char *bytes, uint64_t type)
{
	static const int sizes[] = { 0, 1, 2, 3, 4, 6, 8 };
	uint64_t value;

	if (type >= 8) /* the constants 0 and 1 */
		return (int64_t)type - 8;
	value = bytes[0] >= 0x80 ? UINT64_MAX : 0;
	for (int i = 0; i < sizes[type]; i++)
		value = value << 8 | bytes[i];
	return (int64_t)value;
}

static struct text
text_in(const unsigned char **at, uint64_t type)
{
	struct text t = { (const char *)*at, (size_t)LENGTH_OF_TEXT(type) };

	if (type == 0)
		return (struct text){ NULL, 0 };
	*at += t.len;
	return t;
}

static bool
has_nul(struct text t)
{
	return t.len > 0 && memchr(t.bytes, '\0', t.len) != NULL;
}

/* Decode the row of len bytes that is_event() has seen.  Returns false if it
   has changed since then, or if it holds what no log takes: in UTF-16, say. */
static bool
decode(const unsigned char *row, const struct cell *c, struct event *e)
{
	static const int sizes[] = { 0, 1, 2, 3, 4, 6, 8, 8, 0, 0 };
	uint64_t types[COLUMNS], values;
	const unsigned char *at;

	if (!read_types(row, (uint32_t)c->len, c->len, types, &values))
		return false;
	at = row + values;
	*e = (struct event){ .id = c->id, .retry_ms = EVENT_NO_RETRY };
	e->topic = text_in(&at, types[1]);
	e->name = text_in(&at, types[2]);
	e->data = text_in(&at, types[3]);
	if (types[4] != 0)
		e->retry_ms = integer_of(at, types[4]);
	at += sizes[types[4]];
	e->key = text_in(&at, types[5]);
	e->created_ms = integer_of(at, types[6]);
	if (e->retry_ms < 0 || e->retry_ms > EVENT_RETRY_MAX_MS)
		e->retry_ms = EVENT_NO_RETRY;
	return !has_nul(e->topic) && !has_nul(e->name);
}

/* ---- the search ---- */

static int
compare(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

static int
note(struct leaves *l, const struct place *p)
{
	if (l->n == l->cap) {
		size_t cap = l->cap > 0 ? 2 * l->cap : 1024;
		struct place *places =
		    reallocarray(l->places, cap, sizeof(*places));

		if (places == NULL)
			return -1;
		l->places = places;
		l->cap = cap;
	}
	l->places[l->n++] = *p;
	return 0;
}

/* Note the events of a page, if it is a leaf of a table. */
static int
search_page(struct leaves *l, uint32_t page)
{
	uint32_t n;

	if (image_read(&l->image, page, l->bytes) != 0 ||
	    l->bytes[0] != LEAF_OF_TABLE)
		return 0;
	n = image_number(l->bytes + 3, 2);
	for (uint32_t i = 0; i < n; i++) {
		uint32_t pointer = LEAF_HEADER_BYTES + 2 * i, offset;
		struct cell c;

		if (pointer + 2 > l->image.usable)
			return 0;
		offset = image_number(l->bytes + pointer, 2);
		if (read_cell(l, offset, &c) && is_event(l, &c) &&
		    note(l, &(struct place){ c.id, page, offset }) != 0)
			return -1;
	}
	return 0;
}

struct leaves *
leaves_new(const char *path)
{
	struct leaves *l = calloc(1, sizeof(*l));
	int result;

	if (l == NULL)
		return NULL;
	result = image_open(&l->image, path);
	l->reads = (uint64_t)l->image.pages * OVERFLOW_READS;
	for (uint32_t page = 2;
	     result == 0 && page <= l->image.pages && !l->image.is_utf16;
	     page++)
		result = search_page(l, page);
	if (result != 0) {
		leaves_free(l);
		return NULL;
	}
	if (l->n > 0)
		qsort(l->places, l->n, sizeof(*l->places), compare);
	return l;
}

void
leaves_free(struct leaves *l)
{
	if (l == NULL)
		return;
	image_close(&l->image);
	free(l->places);
	free(l->row);
	free(l);
}

/* Read the rest of a row from its chain of overflow pages, which must end with
   the row: else it is the chain of another row, or a circle. */
static bool
read_overflow(struct leaves *l, const struct cell *c)
{
	uint64_t had = c->local;
	uint32_t page = image_number(l->bytes + c->offset + c->local, 4);

	while (had < c->len) {
		uint64_t part = l->image.usable - 4;

		if (l->reads == 0 || image_read(&l->image, page, l->bytes) != 0)
			return false;
		l->reads--;
		if (part > c->len - had)
			part = c->len - had;
		memcpy(l->row + had, l->bytes + 4, (size_t)part);
		had += part;
		page = image_number(l->bytes, 4);
	}
	return page == 0;
}

static enum leaves_result
read_row(struct leaves *l, const struct place *p, struct event *e)
{
	unsigned char *row;
	struct cell c;

	if (image_read(&l->image, p->page, l->bytes) != 0 ||
	    !read_cell(l, p->offset, &c) || c.id != p->id || !is_event(l, &c))
		return LEAVES_END;
	row = realloc(l->row, (size_t)c.len + 1);
	if (row == NULL)
		return LEAVES_NO_MEMORY;
	l->row = row;
	memcpy(row, l->bytes + c.offset, c.local);
	if ((c.local < c.len && !read_overflow(l, &c)) || !decode(row, &c, e))
		return LEAVES_END;
	return LEAVES_ROW;
}

enum leaves_result
leaves_find(struct leaves *l, int64_t from, int64_t to, struct event *e)
{
	size_t low = 0, high = l->n;
	enum leaves_result result = LEAVES_END;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (l->places[middle].id < from)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < l->n && l->places[low].id <= to && result == LEAVES_END;
	     low++)
		result = read_row(l, &l->places[low], e);
	return result;
}
