#ifndef ROWCAST_JOURNAL_H
#define ROWCAST_JOURNAL_H

#include <stdint.h>

/*
 * What programs did to the files of a log, in order: records, each followed by
 * len bytes.  tests/preload/journal.c writes them, tests/tools/powercut.c reads
 * them.
 */
enum journal_op {
	JOURNAL_CREATE = 'C',   /* the file was not there before */
	JOURNAL_WRITE = 'W',    /* len bytes at an offset */
	JOURNAL_TRUNCATE = 'T', /* to the offset */
	JOURNAL_SYNC = 'S',     /* of a file, or the folder: it is on disk */
	JOURNAL_UNLINK = 'U',
	JOURNAL_SAID = 'A', /* to a client: len bytes */
};

enum journal_file {
	JOURNAL_DB,
	JOURNAL_WAL,
	JOURNAL_ROLLBACK, /* -journal */
	JOURNAL_SHM,      /* is nothing after a cut */
	JOURNAL_FOLDER,
	JOURNAL_FILES,
	JOURNAL_NO_FILE = JOURNAL_FILES,
};

struct journal_record {
	uint8_t op;
	uint8_t file;
	uint16_t reserved;
	uint32_t len;
	uint64_t offset;
};

#endif
