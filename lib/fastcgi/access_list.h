#ifndef ROWCAST_ACCESS_LIST_H
#define ROWCAST_ACCESS_LIST_H

#include <stdbool.h>

/*
 * Does a list of addresses, as in FCGI_WEB_SERVER_ADDRS, contain this one?
 * Pure.
 *   shape    list: addresses separated by commas; address: as getnameinfo()
 *            writes it with NI_NUMERICHOST
 */
bool access_list_has(const char *list, const char *address);

#endif
