#include "php_emonfeed.h"
#include "feed.h"

#include <zend_exceptions.h>

#include "answer.h"
#include "csv.h"
#include "path.h"
#include "times.h"

#include "feed_arginfo.h"

typedef struct {
	emonfeed_feed *feed;  /* NULL until constructed */
	zend_string *path;
	zend_object std;
} feed_object;

static zend_class_entry *feed_ce;
static zend_object_handlers feed_handlers;

static feed_object *feed_from(zend_object *object)
{
	return (feed_object *) ((char *) object - offsetof(feed_object, std));
}

static zend_object *feed_create(zend_class_entry *ce)
{
	feed_object *intern = zend_object_alloc(sizeof(feed_object), ce);

	zend_object_std_init(&intern->std, ce);
	object_properties_init(&intern->std, ce);
	intern->std.handlers = &feed_handlers;
	return &intern->std;
}

static void feed_free(zend_object *object)
{
	feed_object *intern = feed_from(object);

	emonfeed_feed_free(intern->feed);
	if (intern->path) {
		zend_string_release(intern->path);
	}
	zend_object_std_dtor(object);
}

void php_emonfeed_feed_minit(void)
{
	feed_ce = register_class_Emonfeed_Feed();
	feed_ce->create_object = feed_create;
	memcpy(&feed_handlers, &std_object_handlers, sizeof(feed_handlers));
	feed_handlers.offset = offsetof(feed_object, std);
	feed_handlers.free_obj = feed_free;
	feed_handlers.clone_obj = NULL;
	feed_handlers.compare = zend_objects_not_comparable;
}

/* The library's feed of an object, or NULL after throwing. */
static const emonfeed_feed *feed_get(zval *zv)
{
	const feed_object *intern = feed_from(Z_OBJ_P(zv));

	if (!intern->feed) {
		zend_throw_error(NULL, "Emonfeed\\Feed object is not constructed");
		return NULL;
	}
	/* Each query opens the files anew, and what lies at the path, or the
	 * setting, may have changed since the constructor. */
	if (!php_emonfeed_path_allowed(ZSTR_VAL(intern->path))) {
		return NULL;
	}
	return intern->feed;
}

static bool check_aggregate(zend_long aggregate, uint32_t argument)
{
	if (aggregate < EMONFEED_FIRST || aggregate > EMONFEED_COUNT) {
		zend_argument_value_error(argument,
			"must be one of Emonfeed\\Feed::FIRST, LAST, AVERAGE, MIN, MAX, SUM and COUNT");
		return false;
	}
	return true;
}

static bool check_flags(zend_long flags, uint32_t argument)
{
	const zend_long known = EMONFEED_CLOSED_END | EMONFEED_SKIP_MISSING | EMONFEED_TRUE_TIME | EMONFEED_CLIP_END;

	if (flags & ~known) {
		zend_argument_value_error(argument,
			"must be a combination of Emonfeed\\Feed::CLOSED_END, SKIP_MISSING, TRUE_TIME and CLIP_END");
		return false;
	}
	return true;
}

/* The times in a PHP array, to be freed with efree; NULL after throwing. */
static int64_t *times_from(HashTable *array, uint32_t argument)
{
	int64_t *times = safe_emalloc(zend_hash_num_elements(array), sizeof(*times), 0);
	uint32_t count = 0;
	zval *element;

	ZEND_HASH_FOREACH_VAL(array, element) {
		ZVAL_DEREF(element);
		if (!php_emonfeed_is_time(element, &times[count])) {
			efree(times);
			zend_argument_type_error(argument, "must be a list of int, but element %u is of type %s",
				count, zend_zval_type_name(element));
			return NULL;
		}
		count++;
	} ZEND_HASH_FOREACH_END();
	return times;
}

/* Whether the query of a method failed, which then needs its format no more. */
static bool failed(php_emonfeed_csv *csv, emonfeed_status status)
{
	bool has_failed = php_emonfeed_answer_failed(status);

	if (has_failed && csv) {
		php_emonfeed_csv_release(csv);
	}
	return has_failed;
}

static void answer_csv(zval *return_value, php_emonfeed_csv *csv)
{
	php_emonfeed_answer_csv(return_value, &csv->csv);
	php_emonfeed_csv_release(csv);
}

PHP_METHOD(Emonfeed_Feed, __construct)
{
	zend_string *path;

	ZEND_PARSE_PARAMETERS_START(1, 1)
		Z_PARAM_PATH_STR(path)
	ZEND_PARSE_PARAMETERS_END();

	feed_object *intern = feed_from(Z_OBJ_P(ZEND_THIS));
	if (intern->feed) {
		zend_throw_error(NULL, "Emonfeed\\Feed object is already constructed");
		RETURN_THROWS();
	}
	zend_string *absolute = php_emonfeed_path(ZSTR_VAL(path), 1);
	if (!absolute) {
		RETURN_THROWS();
	}
	php_emonfeed_answer *answer = php_emonfeed_answer_begin();
	emonfeed_status status = php_emonfeed_open(ZSTR_VAL(absolute), &intern->feed, &answer->error);
	if (status != EMONFEED_STATUS_OK) {
		zend_string_release(absolute);
		php_emonfeed_answer_failed(status);
		RETURN_THROWS();
	}
	intern->path = absolute;
}

PHP_METHOD(Emonfeed_Feed, meta)
{
	ZEND_PARSE_PARAMETERS_NONE();

	const emonfeed_feed *feed = feed_get(ZEND_THIS);
	if (!feed) {
		RETURN_THROWS();
	}
	emonfeed_meta meta;
	php_emonfeed_answer *answer = php_emonfeed_answer_begin();
	if (php_emonfeed_answer_failed(emonfeed_feed_meta(feed, &meta, &answer->error))) {
		RETURN_THROWS();
	}
	array_init_size(return_value, 13);
	php_emonfeed_add_count(return_value, "npoints", meta.npoints);
	php_emonfeed_add_time(return_value, "start_time", meta.start_time);
	php_emonfeed_add_time(return_value, "end_time", meta.end_time);
	php_emonfeed_add_time(return_value, "interval", meta.interval);
	php_emonfeed_add_count(return_value, "bytes", meta.bytes);
	php_emonfeed_add_count(return_value, "index_bytes", meta.index_bytes);
	php_emonfeed_add_count(return_value, "slots", meta.slots);
	php_emonfeed_add_count(return_value, "stride", meta.stride);
	add_assoc_bool(return_value, "sorted", meta.sorted);
	add_assoc_bool(return_value, "indexed", meta.indexed);
	add_assoc_bool(return_value, "checksum", meta.checksum);
	add_assoc_bool(return_value, "histogram", meta.histogram);
	add_assoc_string(return_value, "value_type", meta.value_type);
}

PHP_METHOD(Emonfeed_Feed, lastValue)
{
	ZEND_PARSE_PARAMETERS_NONE();

	const emonfeed_feed *feed = feed_get(ZEND_THIS);
	if (!feed) {
		RETURN_THROWS();
	}
	php_emonfeed_answer *answer = php_emonfeed_answer_begin();
	if (php_emonfeed_answer_failed(emonfeed_feed_last(feed, &answer->series, &answer->error))) {
		RETURN_THROWS();
	}
	php_emonfeed_answer_point(return_value);
}

/* The query behind windows(), windowsJson() and windowsCsv(); false after
 * throwing. Only the last, for which `csv` is not NULL, takes $format. */
static bool query_windows(INTERNAL_FUNCTION_PARAMETERS, php_emonfeed_csv *csv)
{
	int64_t start, end;
	zend_long interval, aggregate = EMONFEED_FIRST, flags = 0;
	HashTable *format = NULL;

	ZEND_PARSE_PARAMETERS_START(3, csv ? 6 : 5)
		PHP_EMONFEED_PARAM_TIME(start)
		PHP_EMONFEED_PARAM_TIME(end)
		Z_PARAM_LONG(interval)
		Z_PARAM_OPTIONAL
		Z_PARAM_LONG(aggregate)
		Z_PARAM_LONG(flags)
		Z_PARAM_ARRAY_HT(format)
	ZEND_PARSE_PARAMETERS_END_EX(return false);

	const emonfeed_feed *feed = feed_get(ZEND_THIS);
	if (!feed || !check_aggregate(aggregate, 4) || !check_flags(flags, 5) ||
			(csv && !php_emonfeed_csv_from(format, 6, csv))) {
		return false;
	}
	php_emonfeed_answer *answer = php_emonfeed_answer_begin();
	return !failed(csv, emonfeed_feed_windows(feed, start, end, interval,
		(int32_t) aggregate, (uint32_t) flags, &answer->series, &answer->error));
}

PHP_METHOD(Emonfeed_Feed, windows)
{
	if (query_windows(INTERNAL_FUNCTION_PARAM_PASSTHRU, NULL)) {
		php_emonfeed_answer_points(return_value);
	}
}

PHP_METHOD(Emonfeed_Feed, windowsJson)
{
	if (query_windows(INTERNAL_FUNCTION_PARAM_PASSTHRU, NULL)) {
		php_emonfeed_answer_json(return_value);
	}
}

PHP_METHOD(Emonfeed_Feed, windowsCsv)
{
	php_emonfeed_csv csv;

	if (query_windows(INTERNAL_FUNCTION_PARAM_PASSTHRU, &csv)) {
		answer_csv(return_value, &csv);
	}
}

/* The query behind windowsAt(), windowsAtJson() and windowsAtCsv(); as
 * query_windows(). */
static bool query_windows_at(INTERNAL_FUNCTION_PARAMETERS, php_emonfeed_csv *csv)
{
	HashTable *edges, *format = NULL;
	zend_long aggregate = EMONFEED_FIRST, flags = 0;

	ZEND_PARSE_PARAMETERS_START(1, csv ? 4 : 3)
		Z_PARAM_ARRAY_HT(edges)
		Z_PARAM_OPTIONAL
		Z_PARAM_LONG(aggregate)
		Z_PARAM_LONG(flags)
		Z_PARAM_ARRAY_HT(format)
	ZEND_PARSE_PARAMETERS_END_EX(return false);

	const emonfeed_feed *feed = feed_get(ZEND_THIS);
	if (!feed || !check_aggregate(aggregate, 2) || !check_flags(flags, 3)) {
		return false;
	}
	int64_t *times = times_from(edges, 1);
	if (!times) {
		return false;
	}
	if (csv && !php_emonfeed_csv_from(format, 4, csv)) {
		efree(times);
		return false;
	}
	php_emonfeed_answer *answer = php_emonfeed_answer_begin();
	emonfeed_status status = emonfeed_feed_windows_at(feed, times, zend_hash_num_elements(edges),
		(int32_t) aggregate, (uint32_t) flags, &answer->series, &answer->error);
	efree(times);
	return !failed(csv, status);
}

PHP_METHOD(Emonfeed_Feed, windowsAt)
{
	if (query_windows_at(INTERNAL_FUNCTION_PARAM_PASSTHRU, NULL)) {
		php_emonfeed_answer_points(return_value);
	}
}

PHP_METHOD(Emonfeed_Feed, windowsAtJson)
{
	if (query_windows_at(INTERNAL_FUNCTION_PARAM_PASSTHRU, NULL)) {
		php_emonfeed_answer_json(return_value);
	}
}

PHP_METHOD(Emonfeed_Feed, windowsAtCsv)
{
	php_emonfeed_csv csv;

	if (query_windows_at(INTERNAL_FUNCTION_PARAM_PASSTHRU, &csv)) {
		answer_csv(return_value, &csv);
	}
}

/* The query behind valuesAt() and valuesAtCsv(); as query_windows(). */
static bool query_values_at(INTERNAL_FUNCTION_PARAMETERS, php_emonfeed_csv *csv)
{
	HashTable *asked, *format = NULL;
	zend_long mode = EMONFEED_LINEAR, flags = 0;

	ZEND_PARSE_PARAMETERS_START(1, csv ? 4 : 3)
		Z_PARAM_ARRAY_HT(asked)
		Z_PARAM_OPTIONAL
		Z_PARAM_LONG(mode)
		Z_PARAM_LONG(flags)
		Z_PARAM_ARRAY_HT(format)
	ZEND_PARSE_PARAMETERS_END_EX(return false);

	const emonfeed_feed *feed = feed_get(ZEND_THIS);
	if (!feed) {
		return false;
	}
	if (mode < EMONFEED_NEXT || mode > EMONFEED_EXACT) {
		zend_argument_value_error(2, "must be one of Emonfeed\\Feed::NEXT, PREVIOUS, LINEAR and EXACT");
		return false;
	}
	if (flags & ~(zend_long) (EMONFEED_SKIP_MISSING | EMONFEED_TRUE_TIME)) {
		zend_argument_value_error(3, "must be a combination of Emonfeed\\Feed::SKIP_MISSING and TRUE_TIME");
		return false;
	}
	int64_t *times = times_from(asked, 1);
	if (!times) {
		return false;
	}
	if (csv && !php_emonfeed_csv_from(format, 4, csv)) {
		efree(times);
		return false;
	}
	php_emonfeed_answer *answer = php_emonfeed_answer_begin();
	emonfeed_status status = emonfeed_feed_values_at(feed, times, zend_hash_num_elements(asked),
		(int32_t) mode, (uint32_t) flags, &answer->series, &answer->error);
	efree(times);
	return !failed(csv, status);
}

PHP_METHOD(Emonfeed_Feed, valuesAt)
{
	if (query_values_at(INTERNAL_FUNCTION_PARAM_PASSTHRU, NULL)) {
		php_emonfeed_answer_points(return_value);
	}
}

PHP_METHOD(Emonfeed_Feed, valuesAtCsv)
{
	php_emonfeed_csv csv;

	if (query_values_at(INTERNAL_FUNCTION_PARAM_PASSTHRU, &csv)) {
		answer_csv(return_value, &csv);
	}
}

/* The query behind rows() and rowsJson(); false after throwing. */
static bool query_rows(INTERNAL_FUNCTION_PARAMETERS)
{
	int64_t start, end;
	zend_long limit = 0;

	ZEND_PARSE_PARAMETERS_START(2, 3)
		PHP_EMONFEED_PARAM_TIME(start)
		PHP_EMONFEED_PARAM_TIME(end)
		Z_PARAM_OPTIONAL
		Z_PARAM_LONG(limit)
	ZEND_PARSE_PARAMETERS_END_EX(return false);

	const emonfeed_feed *feed = feed_get(ZEND_THIS);
	if (!feed) {
		return false;
	}
	if (limit < 0) {
		zend_argument_value_error(3, "must be 0 (no limit) or more");
		return false;
	}
	php_emonfeed_answer *answer = php_emonfeed_answer_begin();
	return !php_emonfeed_answer_failed(emonfeed_feed_rows(feed, start, end, (uint64_t) limit,
		&answer->series, &answer->error));
}

PHP_METHOD(Emonfeed_Feed, rows)
{
	if (query_rows(INTERNAL_FUNCTION_PARAM_PASSTHRU)) {
		php_emonfeed_answer_points(return_value);
	}
}

PHP_METHOD(Emonfeed_Feed, rowsJson)
{
	if (query_rows(INTERNAL_FUNCTION_PARAM_PASSTHRU)) {
		php_emonfeed_answer_json(return_value);
	}
}

/* [$start, $given] of the next piece, null behind the last one. */
static void position_to_zval(zval *zv, const emonfeed_position *position, bool is_last)
{
	zval time, given;

	ZVAL_NULL(zv);
	if (!is_last) {
		php_emonfeed_time_to_zval(&time, position->time);
		ZVAL_LONG(&given, (zend_long) position->given);
		ZVAL_ARR(zv, zend_new_pair(&time, &given));
	}
}

PHP_METHOD(Emonfeed_Feed, rowsCsv)
{
	const uint64_t piece = 65536;
	int64_t start, end;
	zend_long given = 0;
	HashTable *format = NULL;
	php_emonfeed_csv csv;

	ZEND_PARSE_PARAMETERS_START(2, 4)
		PHP_EMONFEED_PARAM_TIME(start)
		PHP_EMONFEED_PARAM_TIME(end)
		Z_PARAM_OPTIONAL
		Z_PARAM_ARRAY_HT(format)
		Z_PARAM_LONG(given)
	ZEND_PARSE_PARAMETERS_END();

	const emonfeed_feed *feed = feed_get(ZEND_THIS);
	if (!feed) {
		RETURN_THROWS();
	}
	if (given < 0) {
		zend_argument_value_error(4, "must be 0 or more");
		RETURN_THROWS();
	}
	if (!php_emonfeed_csv_from(format, 3, &csv)) {
		RETURN_THROWS();
	}
	emonfeed_position position = { .time = start, .given = (uint64_t) given };
	php_emonfeed_answer *answer = php_emonfeed_answer_begin();
	if (failed(&csv, emonfeed_feed_rows_from(feed, &position, end, piece, &answer->series, &answer->error))) {
		RETURN_THROWS();
	}
	bool is_last = emonfeed_series_len(answer->series) < piece;
	zval text, next;
	answer_csv(&text, &csv);
	if (EG(exception)) {
		RETURN_THROWS();
	}
	position_to_zval(&next, &position, is_last);
	RETURN_ARR(zend_new_pair(&text, &next));
}

PHP_METHOD(Emonfeed_Feed, histogram)
{
	int64_t start, end;

	ZEND_PARSE_PARAMETERS_START(2, 2)
		PHP_EMONFEED_PARAM_TIME(start)
		PHP_EMONFEED_PARAM_TIME(end)
	ZEND_PARSE_PARAMETERS_END();

	const emonfeed_feed *feed = feed_get(ZEND_THIS);
	if (!feed) {
		RETURN_THROWS();
	}
	php_emonfeed_answer *answer = php_emonfeed_answer_begin();
	if (php_emonfeed_answer_failed(emonfeed_feed_histogram(feed, start, end, &answer->histogram, &answer->error))) {
		RETURN_THROWS();
	}
	php_emonfeed_answer_bins(return_value);
}

PHP_METHOD(Emonfeed_Feed, sumByTime)
{
	double min, max;

	ZEND_PARSE_PARAMETERS_START(2, 2)
		Z_PARAM_DOUBLE(min)
		Z_PARAM_DOUBLE(max)
	ZEND_PARSE_PARAMETERS_END();

	const emonfeed_feed *feed = feed_get(ZEND_THIS);
	if (!feed) {
		RETURN_THROWS();
	}
	php_emonfeed_answer *answer = php_emonfeed_answer_begin();
	if (php_emonfeed_answer_failed(emonfeed_feed_sum_by_time(feed, min, max, &answer->series, &answer->error))) {
		RETURN_THROWS();
	}
	php_emonfeed_answer_points(return_value);
}
