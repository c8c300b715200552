#include "path.h"

#include <fopen_wrappers.h>
#include <zend_virtual_cwd.h>

#include "exception.h"

static bool has_open_basedir(void)
{
	return PG(open_basedir) && *PG(open_basedir);
}

bool php_emonfeed_path_allowed(const char *path)
{
	if (has_open_basedir() && php_check_open_basedir_ex(path, 0) != 0) {
		php_emonfeed_throw(EMONFEED_STATUS_PERMISSION,
			"%s: open_basedir does not allow this path; it allows %s", path, PG(open_basedir));
		return false;
	}
	return true;
}

zend_string *php_emonfeed_path(const char *path, uint32_t argument)
{
	/* A relative path is fixed now, as every query finds the file anew and
	 * the script may have changed folders by then. Links are not followed
	 * here (CWD_EXPAND): PHP may remember where they led two minutes ago. */
	char *expanded = expand_filepath_with_mode(path, NULL, NULL, 0, CWD_EXPAND);

	if (!expanded) {
		if (argument) {
			zend_argument_value_error(argument, *path ? "must be a shorter path" : "must not be empty");
		} else {
			php_emonfeed_throw(EMONFEED_STATUS_NOT_FOUND, "%s: this path is too long", path);
		}
		return NULL;
	}
	if (!php_emonfeed_path_allowed(expanded)) {
		efree(expanded);
		return NULL;
	}
	zend_string *absolute = zend_string_init(expanded, strlen(expanded), 0);
	efree(expanded);
	return absolute;
}

bool php_emonfeed_knows_evidence(const char *name)
{
	return !strcmp(name, "checksum") || !strcmp(name, "strict") || !strcmp(name, "counters");
}

static uint32_t open_flags(void)
{
	const char *evidence = EMONFEED_G(evidence);
	uint32_t flags = 0;

	if (!EMONFEED_G(mmap)) {
		flags |= EMONFEED_OPEN_PREAD;
	}
	if (has_open_basedir()) {
		/* open_basedir was checked by name; a link put there afterwards
		 * must not lead elsewhere. */
		flags |= EMONFEED_OPEN_NOFOLLOW;
	}
	if (evidence && !strcmp(evidence, "counters")) {
		flags |= EMONFEED_OPEN_TRUST_COUNTERS;
	} else if (evidence && strcmp(evidence, "checksum")) {
		flags |= EMONFEED_OPEN_STRICT;
	}
	return flags;
}

emonfeed_status php_emonfeed_open(const char *path, emonfeed_feed **feed, emonfeed_error **error)
{
	const char *cache_dir = EMONFEED_G(cache_dir);

	return emonfeed_feed_open_cached(path, open_flags(), cache_dir && *cache_dir ? cache_dir : NULL, feed, error);
}
