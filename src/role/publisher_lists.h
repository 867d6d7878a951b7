#ifndef ROLE_PUBLISHER_LISTS_H
#define ROLE_PUBLISHER_LISTS_H
/* Inside the publisher: lists of incidents, public/incident/ID.csv. Store and folder are borrowed. */
#include "publish.pb-c.h"
#include "store/store.h"

struct role_kit;
struct publisher_lists;
struct publisher_lists *publisher_lists_new(struct role_kit *kit, int folder_fd, struct store *store);
/* Looks once a second, writes what is wanted, some milliseconds at a time. */
void publisher_lists_tick(struct publisher_lists *l);
bool publisher_lists_busy(const struct publisher_lists *l);

#endif
