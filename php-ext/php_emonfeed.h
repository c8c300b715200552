/* What the files of the extension share. */
#ifndef PHP_EMONFEED_H
#define PHP_EMONFEED_H

#include <php.h>

#include <emonfeed.h>

#if PHP_VERSION_ID < 80100
# error "emonfeed needs PHP 8.1 or newer"
#endif

#define PHP_EMONFEED_VERSION \
	ZEND_TOSTR(EMONFEED_VERSION_MAJOR) "." ZEND_TOSTR(EMONFEED_VERSION_MINOR) "." ZEND_TOSTR(EMONFEED_VERSION_PATCH)

/* What the library handed out and PHP is still copying. It is kept in the
 * globals because a Zend call may leave by longjmp (memory_limit): what is
 * left here is freed at the next call or at the end of the request. */
typedef struct {
	emonfeed_error *error;
	emonfeed_series *series;
	emonfeed_histogram *histogram;
	emonfeed_text *text;
	emonfeed_report *report;
} php_emonfeed_answer;

ZEND_BEGIN_MODULE_GLOBALS(emonfeed)
	char *datadir;
	char *cache_dir;
	char *evidence;
	bool mmap;
	php_emonfeed_answer answer;
ZEND_END_MODULE_GLOBALS(emonfeed)

ZEND_EXTERN_MODULE_GLOBALS(emonfeed)
#define EMONFEED_G(v) ZEND_MODULE_GLOBALS_ACCESSOR(emonfeed, v)

#if defined(ZTS) && defined(COMPILE_DL_EMONFEED)
ZEND_TSRMLS_CACHE_EXTERN()
#endif

extern zend_module_entry emonfeed_module_entry;
#define phpext_emonfeed_ptr &emonfeed_module_entry

#endif
