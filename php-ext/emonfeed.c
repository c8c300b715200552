/* The module, its settings and its two functions. */
#ifdef HAVE_CONFIG_H
# include "config.h"
#endif

#include "php_emonfeed.h"

#include <ext/spl/spl_exceptions.h>
#include <ext/standard/info.h>
#include <php_ini.h>

#include "answer.h"
#include "backup.h"
#include "exception.h"
#include "feed.h"
#include "path.h"

#include "emonfeed_arginfo.h"

ZEND_DECLARE_MODULE_GLOBALS(emonfeed)

static PHP_INI_MH(update_evidence)
{
	if (!php_emonfeed_knows_evidence(ZSTR_VAL(new_value))) {
		/* At the start PHP goes on with what is here, which must not be what
		 * somebody meant to exclude. */
		zend_error(E_CORE_WARNING, "emonfeed.evidence is \"%s\"; known are checksum, strict and counters; "
			"strict is used", ZSTR_VAL(new_value));
	}
	return OnUpdateString(entry, new_value, mh_arg1, mh_arg2, mh_arg3, stage);
}

PHP_INI_BEGIN()
	STD_PHP_INI_ENTRY("emonfeed.cache_dir", "", PHP_INI_SYSTEM, OnUpdateString, cache_dir, zend_emonfeed_globals, emonfeed_globals)
	STD_PHP_INI_ENTRY("emonfeed.datadir", "", PHP_INI_SYSTEM | PHP_INI_PERDIR, OnUpdateString, datadir, zend_emonfeed_globals, emonfeed_globals)
	STD_PHP_INI_ENTRY("emonfeed.evidence", "checksum", PHP_INI_SYSTEM, update_evidence, evidence, zend_emonfeed_globals, emonfeed_globals)
	STD_PHP_INI_BOOLEAN("emonfeed.mmap", "1", PHP_INI_SYSTEM, OnUpdateBool, mmap, zend_emonfeed_globals, emonfeed_globals)
PHP_INI_END()

PHP_FUNCTION(emonfeed_get_feed_data)
{
	zend_long feedid, dp;
	double start, end;

	ZEND_PARSE_PARAMETERS_START(4, 4)
		Z_PARAM_LONG(feedid)
		Z_PARAM_DOUBLE(start)
		Z_PARAM_DOUBLE(end)
		Z_PARAM_LONG(dp)
	ZEND_PARSE_PARAMETERS_END();

	if (feedid < 1) {
		zend_argument_value_error(1, "must be greater than 0");
		RETURN_THROWS();
	}
	const char *datadir = EMONFEED_G(datadir);
	if (!datadir || !*datadir) {
		php_emonfeed_throw(EMONFEED_STATUS_NOT_FOUND,
			"emonfeed.datadir is not set: name the folder of the feed files in php.ini");
		RETURN_THROWS();
	}
	zend_string *name = strpprintf(0, "%s/feed_" ZEND_LONG_FMT ".MYD", datadir, feedid);
	zend_string *path = php_emonfeed_path(ZSTR_VAL(name), 0);
	zend_string_release(name);
	if (!path) {
		RETURN_THROWS();
	}

	php_emonfeed_answer *answer = php_emonfeed_answer_begin();
	emonfeed_feed *feed = NULL;
	emonfeed_status status = php_emonfeed_open(ZSTR_VAL(path), &feed, &answer->error);
	if (status == EMONFEED_STATUS_OK) {
		status = emonfeed_feed_data(feed, start, end, dp, &answer->series, &answer->error);
		emonfeed_feed_free(feed);
	}
	zend_string_release(path);
	if (php_emonfeed_answer_failed(status)) {
		RETURN_THROWS();
	}
	php_emonfeed_answer_points(return_value);
}

/* The flags an options array stands for; false after throwing. */
static bool copy_flags_from(HashTable *options, uint32_t argument, uint32_t *flags)
{
	zend_string *name;
	zval *value;

	ZEND_HASH_FOREACH_STR_KEY_VAL(options, name, value) {
		uint32_t flag;

		if (name && zend_string_equals_literal(name, "dry_run")) {
			flag = EMONFEED_COPY_DRY_RUN;
		} else if (name && zend_string_equals_literal(name, "full")) {
			flag = EMONFEED_COPY_FULL;
		} else {
			zend_argument_value_error(argument, "must hold no other options than \"dry_run\" and \"full\"");
			return false;
		}
		ZVAL_DEREF(value);
		if (Z_TYPE_P(value) != IS_TRUE && Z_TYPE_P(value) != IS_FALSE) {
			zend_argument_type_error(argument, "must hold \"%s\" of type bool, %s given", ZSTR_VAL(name), zend_zval_type_name(value));
			return false;
		}
		if (Z_TYPE_P(value) == IS_TRUE) {
			*flags |= flag;
		}
	} ZEND_HASH_FOREACH_END();
	return true;
}

PHP_FUNCTION(emonfeed_copy)
{
	zend_string *source, *destination;
	HashTable *options = NULL;
	uint32_t flags = 0;

	ZEND_PARSE_PARAMETERS_START(2, 3)
		Z_PARAM_PATH_STR(source)
		Z_PARAM_PATH_STR(destination)
		Z_PARAM_OPTIONAL
		Z_PARAM_ARRAY_HT(options)
	ZEND_PARSE_PARAMETERS_END();

	if (options && !copy_flags_from(options, 3, &flags)) {
		RETURN_THROWS();
	}
	zend_string *from = php_emonfeed_path(ZSTR_VAL(source), 1);
	if (!from) {
		RETURN_THROWS();
	}
	zend_string *to = php_emonfeed_path(ZSTR_VAL(destination), 2);
	if (!to) {
		zend_string_release(from);
		RETURN_THROWS();
	}
	php_emonfeed_answer *answer = php_emonfeed_answer_begin();
	emonfeed_status status = emonfeed_copy(ZSTR_VAL(from), ZSTR_VAL(to), flags, &answer->report, &answer->error);
	zend_string_release(from);
	zend_string_release(to);
	if (php_emonfeed_answer_failed(status)) {
		RETURN_THROWS();
	}
	php_emonfeed_answer_report(return_value);
}

static PHP_GINIT_FUNCTION(emonfeed)
{
#if defined(ZTS) && defined(COMPILE_DL_EMONFEED)
	ZEND_TSRMLS_CACHE_UPDATE();
#endif
	memset(emonfeed_globals, 0, sizeof(*emonfeed_globals));
}

static PHP_MINIT_FUNCTION(emonfeed)
{
	REGISTER_INI_ENTRIES();
	php_emonfeed_exception_minit();
	php_emonfeed_feed_minit();
	php_emonfeed_backup_minit();
	return SUCCESS;
}

static PHP_MSHUTDOWN_FUNCTION(emonfeed)
{
	UNREGISTER_INI_ENTRIES();
	return SUCCESS;
}

static PHP_RSHUTDOWN_FUNCTION(emonfeed)
{
	php_emonfeed_answer_release();
	return SUCCESS;
}

static PHP_MINFO_FUNCTION(emonfeed)
{
	php_info_print_table_start();
	php_info_print_table_row(2, "emonfeed support", "enabled");
	php_info_print_table_row(2, "Extension version", PHP_EMONFEED_VERSION);
	php_info_print_table_row(2, "Library version", emonfeed_version());
	php_info_print_table_end();
	DISPLAY_INI_ENTRIES();
}

static const zend_module_dep emonfeed_deps[] = {
	ZEND_MOD_REQUIRED("spl")
	ZEND_MOD_END
};

zend_module_entry emonfeed_module_entry = {
	STANDARD_MODULE_HEADER_EX,
	NULL,
	emonfeed_deps,
	"emonfeed",
	ext_functions,
	PHP_MINIT(emonfeed),
	PHP_MSHUTDOWN(emonfeed),
	NULL,
	PHP_RSHUTDOWN(emonfeed),
	PHP_MINFO(emonfeed),
	PHP_EMONFEED_VERSION,
	PHP_MODULE_GLOBALS(emonfeed),
	PHP_GINIT(emonfeed),
	NULL,
	NULL,
	STANDARD_MODULE_PROPERTIES_EX
};

#ifdef COMPILE_DL_EMONFEED
# ifdef ZTS
ZEND_TSRMLS_CACHE_DEFINE()
# endif
ZEND_GET_MODULE(emonfeed)
#endif
