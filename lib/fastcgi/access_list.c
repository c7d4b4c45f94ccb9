/*
 * Addresses that may connect.
 */
#include "access_list.h"

#include <string.h>

bool
access_list_has(const char *list, const char *address)
{
	size_t len = strlen(address);

	while (*list != '\0') {
		size_t n = strcspn(list, ",");

		if (n == len && memcmp(list, address, len) == 0)
			return true;
		list += n + (list[n] == ',' ? 1 : 0);
	}
	return false;
}
