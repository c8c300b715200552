#include "php_emonfeed.h"
#include "backup.h"

#include <zend_exceptions.h>
#include <zend_interfaces.h>

#include "answer.h"
#include "exception.h"
#include "path.h"
#include "times.h"

#include "backup_arginfo.h"

typedef struct {
	emonfeed_backup *backup;   /* NULL until constructed, and when closed */
	zend_string *source;       /* NULL until constructed */
	zend_string *destination;
	bool is_begun;             /* the first step was taken */
	bool has_report;
	emonfeed_summary summary;  /* once it is closed */
	emonfeed_error *failure;   /* why it could not be closed well */
	zend_object std;
} backup_object;

static zend_class_entry *backup_ce;
static zend_object_handlers backup_handlers;

static backup_object *backup_from(zend_object *object)
{
	return (backup_object *) ((char *) object - offsetof(backup_object, std));
}

static zend_object *backup_create(zend_class_entry *ce)
{
	backup_object *intern = zend_object_alloc(sizeof(backup_object), ce);

	zend_object_std_init(&intern->std, ce);
	object_properties_init(&intern->std, ce);
	intern->std.handlers = &backup_handlers;
	return &intern->std;
}

static void backup_free(zend_object *object)
{
	backup_object *intern = backup_from(object);

	if (intern->backup) {
		/* Nobody is left to be told; the next run does what this one could not. */
		emonfeed_status ignored = emonfeed_backup_close(intern->backup, NULL, NULL);
		(void) ignored;
	}
	emonfeed_error_free(intern->failure);
	if (intern->source) {
		zend_string_release(intern->source);
		zend_string_release(intern->destination);
	}
	zend_object_std_dtor(object);
}

void php_emonfeed_backup_minit(void)
{
	backup_ce = register_class_Emonfeed_Backup(zend_ce_iterator);
	backup_ce->create_object = backup_create;
	memcpy(&backup_handlers, &std_object_handlers, sizeof(backup_handlers));
	backup_handlers.offset = offsetof(backup_object, std);
	backup_handlers.free_obj = backup_free;
	backup_handlers.clone_obj = NULL;
	backup_handlers.compare = zend_objects_not_comparable;
}

/* What an object holds, or NULL after throwing. */
static backup_object *backup_get(zval *zv)
{
	backup_object *intern = backup_from(Z_OBJ_P(zv));

	if (!intern->source) {
		zend_throw_error(NULL, "Emonfeed\\Backup object is not constructed");
		return NULL;
	}
	return intern;
}

typedef enum {
	OPTION_VALUE,  /* int|string */
	OPTION_FLAG,   /* bool|int|string */
	OPTION_LIST,   /* int|string, or a list of these */
} option_kind;

/* What types the options have. What they can be, the library knows. */
static const struct {
	const char *name;
	option_kind kind;
} known_options[] = {
	{ "prefix", OPTION_VALUE },
	{ "only", OPTION_LIST },
	{ "exclude", OPTION_LIST },
	{ "dry-run", OPTION_FLAG },
	{ "recheck", OPTION_VALUE },
	{ "keep", OPTION_VALUE },
	{ "delete", OPTION_FLAG },
	{ "max-delete", OPTION_VALUE },
	{ "bwlimit", OPTION_VALUE },
	{ "max-size", OPTION_VALUE },
	{ "same-device", OPTION_FLAG },
	{ "require-mount", OPTION_FLAG },
	{ "trust-owner", OPTION_FLAG },
};

/* Whether a key is that option's name, with - or _ in it. */
static bool is_option(const zend_string *key, const char *name)
{
	size_t length = strlen(name);

	if (ZSTR_LEN(key) != length) {
		return false;
	}
	for (size_t i = 0; i < length; i++) {
		if (ZSTR_VAL(key)[i] != name[i] && !(name[i] == '-' && ZSTR_VAL(key)[i] == '_')) {
			return false;
		}
	}
	return true;
}

/* Not smart_str, whose inline functions call what only the newest patch releases of a
 * PHP have: the extension would not load in an older one. */
static void append(zend_string **text, const char *more, size_t length)
{
	size_t before = ZSTR_LEN(*text);

	*text = zend_string_extend(*text, before + length, 0);
	memcpy(ZSTR_VAL(*text) + before, more, length);
	ZSTR_VAL(*text)[before + length] = '\0';
}

/* Adds a scalar to the text of an option; false after throwing. */
static bool append_value(zend_string **text, zval *value, const zend_string *key, option_kind kind, uint32_t argument)
{
	static const char *const types[] = { "int|string", "bool|int|string", "int|string or a list of these" };

	ZVAL_DEREF(value);
	switch (Z_TYPE_P(value)) {
		case IS_LONG: {
			char digits[MAX_LENGTH_OF_LONG + 1];
			int length = snprintf(digits, sizeof digits, ZEND_LONG_FMT, Z_LVAL_P(value));
			append(text, digits, (size_t) length);
			return true;
		}
		case IS_STRING:
			if (strlen(Z_STRVAL_P(value)) != Z_STRLEN_P(value)) {
				zend_argument_value_error(argument, "must hold \"%s\" without any null bytes", ZSTR_VAL(key));
				return false;
			}
			append(text, Z_STRVAL_P(value), Z_STRLEN_P(value));
			return true;
		case IS_TRUE:
		case IS_FALSE:
			if (kind == OPTION_FLAG) {
				append(text, Z_TYPE_P(value) == IS_TRUE ? "1" : "0", 1);
				return true;
			}
			break;
		default:
			break;
	}
	zend_argument_type_error(argument, "must hold \"%s\" of type %s, %s given", ZSTR_VAL(key), types[kind],
		zend_zval_type_name(value));
	return false;
}

/* Adds the elements of a list, with commas between; false after throwing. */
static bool append_list(zend_string **text, HashTable *list, const zend_string *key, uint32_t argument)
{
	zval *element;
	bool is_first = true;

	/* No `only` at all means every feed: nobody who lists none means that. */
	if (zend_hash_num_elements(list) == 0 && zend_string_equals_literal(key, "only")) {
		zend_argument_value_error(argument, "must not hold an empty \"only\"");
		return false;
	}
	ZEND_HASH_FOREACH_VAL(list, element) {
		if (!is_first) {
			append(text, ",", 1);
		}
		is_first = false;
		if (!append_value(text, element, key, OPTION_LIST, argument)) {
			return false;
		}
	} ZEND_HASH_FOREACH_END();
	return true;
}

/* One option as the library takes it, name=value; NULL after throwing. */
static zend_string *option_text(const zend_string *key, zval *value, uint32_t argument)
{
	const size_t count = sizeof(known_options) / sizeof(*known_options);
	size_t i = 0;

	while (key && i < count && !is_option(key, known_options[i].name)) {
		i++;
	}
	if (!key) {
		zend_argument_value_error(argument, "must hold options by their names");
		return NULL;
	}
	if (i == count) {
		zend_argument_value_error(argument, "must not hold \"%s\", which is no option", ZSTR_VAL(key));
		return NULL;
	}
	option_kind kind = known_options[i].kind;
	zend_string *text = zend_strpprintf(0, "%s=", known_options[i].name);
	ZVAL_DEREF(value);
	bool is_fine = kind == OPTION_LIST && Z_TYPE_P(value) == IS_ARRAY
		? append_list(&text, Z_ARRVAL_P(value), key, argument)
		: append_value(&text, value, key, kind, argument);
	if (!is_fine) {
		zend_string_release(text);
		return NULL;
	}
	return text;
}

/* The options as the library takes them: strings in an array that ends with
 * NULL. */
typedef struct {
	uint32_t count;
	zend_string **texts;
	const char **pointers;
} option_texts;

static void options_release(option_texts *options)
{
	for (uint32_t i = 0; i < options->count; i++) {
		zend_string_release(options->texts[i]);
	}
	efree(options->texts);
	efree(options->pointers);
}

/* False after throwing. */
static bool options_from(HashTable *array, uint32_t argument, option_texts *options)
{
	size_t room = array ? zend_hash_num_elements(array) : 0;
	zend_string *key;
	zval *value;

	options->count = 0;
	options->texts = safe_emalloc(room + 1, sizeof(*options->texts), 0);
	options->pointers = safe_emalloc(room + 1, sizeof(*options->pointers), 0);
	if (array) {
		ZEND_HASH_FOREACH_STR_KEY_VAL(array, key, value) {
			zend_string *text = option_text(key, value, argument);
			if (!text) {
				options_release(options);
				return false;
			}
			options->pointers[options->count] = ZSTR_VAL(text);
			options->texts[options->count++] = text;
		} ZEND_HASH_FOREACH_END();
	}
	options->pointers[options->count] = NULL;
	return true;
}

PHP_METHOD(Emonfeed_Backup, __construct)
{
	zend_string *source, *destination;
	HashTable *array = NULL;
	option_texts options;

	ZEND_PARSE_PARAMETERS_START(2, 3)
		Z_PARAM_PATH_STR(source)
		Z_PARAM_PATH_STR(destination)
		Z_PARAM_OPTIONAL
		Z_PARAM_ARRAY_HT(array)
	ZEND_PARSE_PARAMETERS_END();

	backup_object *intern = backup_from(Z_OBJ_P(ZEND_THIS));
	if (intern->source) {
		zend_throw_error(NULL, "Emonfeed\\Backup object is already constructed");
		RETURN_THROWS();
	}
	if (!options_from(array, 3, &options)) {
		RETURN_THROWS();
	}
	zend_string *from = php_emonfeed_path(ZSTR_VAL(source), 1);
	zend_string *to = from ? php_emonfeed_path(ZSTR_VAL(destination), 2) : NULL;
	if (!to) {
		options_release(&options);
		if (from) {
			zend_string_release(from);
		}
		RETURN_THROWS();
	}
	php_emonfeed_answer *answer = php_emonfeed_answer_begin();
	emonfeed_status status = emonfeed_backup_open(ZSTR_VAL(from), ZSTR_VAL(to), options.pointers,
		&intern->backup, &answer->error);
	options_release(&options);
	if (status != EMONFEED_STATUS_OK) {
		zend_string_release(from);
		zend_string_release(to);
		php_emonfeed_answer_failed(status);
		RETURN_THROWS();
	}
	intern->source = from;
	intern->destination = to;
}

/* Takes the run to its next report. */
static void go_on(backup_object *intern)
{
	intern->is_begun = true;
	intern->has_report = false;
	/* What lies at these paths, or the setting, may have changed since. */
	if (!php_emonfeed_path_allowed(ZSTR_VAL(intern->source)) ||
			!php_emonfeed_path_allowed(ZSTR_VAL(intern->destination))) {
		return;
	}
	php_emonfeed_answer *answer = php_emonfeed_answer_begin();
	php_emonfeed_answer_failed(emonfeed_backup_step(intern->backup, &intern->has_report, &answer->error));
}

PHP_METHOD(Emonfeed_Backup, feeds)
{
	ZEND_PARSE_PARAMETERS_NONE();

	backup_object *intern = backup_get(ZEND_THIS);
	if (!intern) {
		RETURN_THROWS();
	}
	RETURN_LONG((zend_long) (intern->backup ? emonfeed_backup_feeds(intern->backup) : intern->summary.feeds));
}

PHP_METHOD(Emonfeed_Backup, stop)
{
	ZEND_PARSE_PARAMETERS_NONE();

	backup_object *intern = backup_get(ZEND_THIS);
	if (!intern) {
		RETURN_THROWS();
	}
	emonfeed_backup_stop(intern->backup);
}

PHP_METHOD(Emonfeed_Backup, close)
{
	ZEND_PARSE_PARAMETERS_NONE();

	backup_object *intern = backup_get(ZEND_THIS);
	if (!intern) {
		RETURN_THROWS();
	}
	if (intern->backup) {
		emonfeed_backup *backup = intern->backup;
		/* It is gone after this call, whatever comes of it. */
		intern->backup = NULL;
		intern->has_report = false;
		emonfeed_status ignored = emonfeed_backup_close(backup, &intern->summary, &intern->failure);
		(void) ignored;
	}
	if (intern->failure) {
		php_emonfeed_throw(emonfeed_error_status(intern->failure), "%s", emonfeed_error_message(intern->failure));
		RETURN_THROWS();
	}
	const emonfeed_summary *summary = &intern->summary;
	array_init_size(return_value, 16);
	php_emonfeed_add_count(return_value, "feeds", summary->feeds);
	/* As emonfeed_report_outcome_name() calls them. */
	php_emonfeed_add_count(return_value, "unchanged", summary->unchanged);
	php_emonfeed_add_count(return_value, "created", summary->created);
	php_emonfeed_add_count(return_value, "appended", summary->appended);
	php_emonfeed_add_count(return_value, "patched", summary->patched);
	php_emonfeed_add_count(return_value, "new-generation", summary->new_generation);
	php_emonfeed_add_count(return_value, "failed", summary->failed);
	php_emonfeed_add_count(return_value, "skipped", summary->skipped);
	php_emonfeed_add_count(return_value, "source-gone", summary->source_gone);
	php_emonfeed_add_count(return_value, "deleted", summary->deleted);
	php_emonfeed_add_count(return_value, "rows_copied", summary->rows_copied);
	php_emonfeed_add_count(return_value, "bytes_copied", summary->bytes_copied);
	add_assoc_double(return_value, "seconds", summary->seconds);
	add_assoc_bool(return_value, "stopped", summary->stopped);
	add_assoc_bool(return_value, "complete", summary->complete);
	if (*summary->not_deleted) {
		add_assoc_string(return_value, "not_deleted", summary->not_deleted);
	} else {
		add_assoc_null(return_value, "not_deleted");
	}
}

PHP_METHOD(Emonfeed_Backup, current)
{
	ZEND_PARSE_PARAMETERS_NONE();

	backup_object *intern = backup_get(ZEND_THIS);
	if (!intern) {
		RETURN_THROWS();
	}
	if (!intern->has_report) {
		RETURN_NULL();
	}
	/* It belongs to the backup, which this object frees, whatever happens. */
	const emonfeed_report *report = emonfeed_backup_report(intern->backup);
	array_init_size(return_value, 16);
	add_assoc_string(return_value, "feed", emonfeed_report_feed(report));
	add_assoc_string(return_value, "table", emonfeed_report_table(report));
	php_emonfeed_add_report(return_value, report);
	php_emonfeed_add_count(return_value, "bytes_overwritten", emonfeed_report_bytes_overwritten(report));
	add_assoc_bool(return_value, "adopted", emonfeed_report_adopted(report));
	add_assoc_double(return_value, "seconds", emonfeed_report_seconds(report));
	add_assoc_long(return_value, "status", emonfeed_report_status(report));
	add_assoc_string(return_value, "message", emonfeed_report_message(report));
}

PHP_METHOD(Emonfeed_Backup, key)
{
	ZEND_PARSE_PARAMETERS_NONE();

	backup_object *intern = backup_get(ZEND_THIS);
	if (!intern) {
		RETURN_THROWS();
	}
	if (!intern->has_report) {
		RETURN_NULL();
	}
	RETURN_STRING(emonfeed_report_file(emonfeed_backup_report(intern->backup)));
}

PHP_METHOD(Emonfeed_Backup, next)
{
	ZEND_PARSE_PARAMETERS_NONE();

	backup_object *intern = backup_get(ZEND_THIS);
	if (!intern) {
		RETURN_THROWS();
	}
	/* The body of a loop may close the run: then the loop ends. */
	if (intern->backup) {
		go_on(intern);
	}
}

PHP_METHOD(Emonfeed_Backup, rewind)
{
	ZEND_PARSE_PARAMETERS_NONE();

	backup_object *intern = backup_get(ZEND_THIS);
	if (!intern) {
		RETURN_THROWS();
	}
	if (intern->is_begun || !intern->backup) {
		zend_throw_error(NULL, "Emonfeed\\Backup object is one run, which %s",
			intern->backup ? "has begun already" : "is closed");
		RETURN_THROWS();
	}
	go_on(intern);
}

PHP_METHOD(Emonfeed_Backup, valid)
{
	ZEND_PARSE_PARAMETERS_NONE();

	backup_object *intern = backup_get(ZEND_THIS);
	if (!intern) {
		RETURN_THROWS();
	}
	RETURN_BOOL(intern->has_report);
}
