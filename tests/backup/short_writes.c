/* Loaded into a process, has it write short: what a disk that is about full does,
 * or a limit on the length of a file.
 *
 * EMONFEED_SHORT_WRITES=0: every write is short.
 * EMONFEED_SHORT_WRITES=7: the seventh is, and then there is no room any more. */

#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

static unsigned long count;

ssize_t pwrite64(int fd, const void *bytes, size_t len, off64_t offset)
{
	const char *which = getenv("EMONFEED_SHORT_WRITES");
	unsigned long last = which ? strtoul(which, NULL, 10) : 0;
	unsigned long number = __atomic_add_fetch(&count, 1, __ATOMIC_SEQ_CST);

	if (last && number > last) {
		errno = ENOSPC;
		return -1;
	}
	/* At another place each time: in the midst of a row, of a page. */
	if (len > 1 && (!last || number == last))
		len = 1 + number * 7919 % (len - 1);
	return syscall(SYS_pwrite64, fd, bytes, len, offset);
}

ssize_t pwrite(int fd, const void *bytes, size_t len, off_t offset)
{
	return pwrite64(fd, bytes, len, offset);
}
