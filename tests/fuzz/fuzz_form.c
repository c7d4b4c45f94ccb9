/*
 * form_next() over any bytes: pairs lie in the buffer in their order, are
 * UTF-8, no longer than what they were made from, and the end is reached.
 *
 * Covers: lib/form.c
 */
#include "fuzz.h"

#include "lib/form.h"
#include "lib/utf8.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *bytes = fuzz_copy(data, size);
	struct form_rest rest = { bytes, size };
	struct form_pair pair;
	enum form_result result;

	for (;;) {
		const char *begin = rest.bytes;
		size_t len = rest.len;

		result = form_next(&rest, &pair);
		if (result == FORM_END)
			break;
		require(
		    rest.len < len && rest.bytes == bytes + size - rest.len);
		require(utf8_is_valid(pair.name) && utf8_is_valid(pair.value));
		require(pair.name.len + pair.value.len <= len - rest.len);
		if (pair.name.len > 0)
			require(pair.name.bytes >= begin &&
			    pair.name.bytes + pair.name.len <= rest.bytes);
		if (pair.value.len > 0)
			require(pair.value.bytes >
				pair.name.bytes + pair.name.len - 1 &&
			    pair.value.bytes + pair.value.len <= rest.bytes);
		if (result == FORM_MALFORMED)
			require(pair.value.len == 0);
	}
	require(rest.len == 0);
	free(bytes);
	return 0;
}
