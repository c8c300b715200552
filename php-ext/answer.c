#include "answer.h"

#include <math.h>

#include "exception.h"
#include "times.h"

void php_emonfeed_answer_release(void)
{
	php_emonfeed_answer *answer = &EMONFEED_G(answer);

	emonfeed_error_free(answer->error);
	emonfeed_series_free(answer->series);
	emonfeed_histogram_free(answer->histogram);
	emonfeed_text_free(answer->text);
	emonfeed_report_free(answer->report);
	memset(answer, 0, sizeof(*answer));
}

php_emonfeed_answer *php_emonfeed_answer_begin(void)
{
	/* A shutdown function may run after a fatal error cut an answer short. */
	php_emonfeed_answer_release();
	return &EMONFEED_G(answer);
}

bool php_emonfeed_answer_failed(emonfeed_status status)
{
	if (status == EMONFEED_STATUS_OK) {
		return false;
	}
	const char *message = emonfeed_error_message(EMONFEED_G(answer).error);
	if (status == EMONFEED_STATUS_ARGUMENT) {
		zend_value_error("%s", message);
	} else {
		php_emonfeed_throw(status, "%s", message);
	}
	php_emonfeed_answer_release();
	return true;
}

static void value_to_zval(zval *zv, double value)
{
	if (isnan(value)) {
		ZVAL_NULL(zv);
	} else {
		ZVAL_DOUBLE(zv, value);
	}
}

#define CHUNK ((uint64_t) 2 << 20)  /* what PHP's allocator takes from the system at a time */
#define PAGE ((uint64_t) 64 << 10)  /* the largest that processors have */

/* Whether memory_limit leaves room for so many bytes. It counts whole chunks,
 * so what fills some is measured by those. */
static bool fits(uint64_t bytes)
{
	size_t limit = (size_t) PG(memory_limit);
	size_t used = zend_memory_usage(bytes >= CHUNK);

	return used < limit && bytes <= limit - used;
}

/* The same; throws if not. An exception lets the caller ask for less, where
 * PHP would end the request or, in newer versions and far beyond the limit,
 * the process. */
static bool has_room(uint64_t bytes)
{
	if (PG(memory_limit) <= 0 || fits(bytes)) {
		return true;
	}
	/* Chunks that are empty may still be held. */
	zend_mm_gc(zend_mm_get_heap());
	if (fits(bytes)) {
		return true;
	}
	php_emonfeed_throw(EMONFEED_STATUS_MEMORY,
		"the answer takes %zu MiB, which memory_limit (%zu MiB) does not allow: ask for less",
		(size_t) (bytes >> 20) + 1, (size_t) PG(memory_limit) >> 20);
	return false;
}

/* Makes an array for count pairs; false after throwing. */
static bool list_init(zval *list, size_t count)
{
	/* Of a pair the array, and what the allocator gives for its elements. */
#if PHP_VERSION_ID >= 80200
	const size_t element = sizeof(zval);
	const size_t pair = ZEND_MM_ALIGNED_SIZE(sizeof(zend_array)) + 160;
#else
	const size_t element = sizeof(Bucket);
	const size_t pair = ZEND_MM_ALIGNED_SIZE(sizeof(zend_array)) + 320;
#endif
	uint64_t slots = HT_MIN_SIZE;

	if (count > HT_MAX_SIZE) {
		php_emonfeed_throw(EMONFEED_STATUS_MEMORY,
			"the answer has %zu elements, more than a PHP array can hold: ask for less", count);
		return false;
	}
	/* PHP makes an array for a power of two. */
	while (slots < count) {
		slots *= 2;
	}
	uint64_t chunks = (uint64_t) count * pair, block = slots * element;
	if (block < CHUNK) {
		chunks += block;
		block = 0;
	} else {
		/* A block of its own, which ends with a page of memory. */
		block += PAGE;
	}
	if (chunks >= CHUNK) {
		/* Whole chunks, of which the allocator's own pages take a fiftieth. */
		chunks = (chunks + chunks / 50 + CHUNK - 1) / CHUNK * CHUNK;
	}
	if (!has_room(block + chunks)) {
		return false;
	}
	array_init_size(list, (uint32_t) count);
	zend_hash_real_init_packed(Z_ARRVAL_P(list));
	return true;
}

void php_emonfeed_answer_points(zval *return_value)
{
	emonfeed_series *series = EMONFEED_G(answer).series;
	size_t count = emonfeed_series_len(series);

	/* PHP shows all digits of a double: 0.1, not 0.10000000149011612. */
	emonfeed_series_to_decimal(series);
	const emonfeed_point *points = emonfeed_series_points(series);

	if (list_init(return_value, count)) {
		ZEND_HASH_FILL_PACKED(Z_ARRVAL_P(return_value)) {
			for (size_t i = 0; i < count; i++) {
				zval time, value, pair;
				php_emonfeed_time_to_zval(&time, points[i].time);
				value_to_zval(&value, points[i].value);
				ZVAL_ARR(&pair, zend_new_pair(&time, &value));
				ZEND_HASH_FILL_ADD(&pair);
			}
		} ZEND_HASH_FILL_END();
	}
	php_emonfeed_answer_release();
}

void php_emonfeed_answer_point(zval *return_value)
{
	emonfeed_series *series = EMONFEED_G(answer).series;

	emonfeed_series_to_decimal(series);
	const emonfeed_point *point = emonfeed_series_points(series);

	if (point) {
		zval value;
		value_to_zval(&value, point->value);
		array_init_size(return_value, 2);
		php_emonfeed_add_time(return_value, "time", point->time);
		add_assoc_zval(return_value, "value", &value);
	} else {
		RETVAL_NULL();
	}
	php_emonfeed_answer_release();
}

void php_emonfeed_answer_bins(zval *return_value)
{
	emonfeed_histogram *histogram = EMONFEED_G(answer).histogram;
	size_t count = emonfeed_histogram_len(histogram);

	emonfeed_histogram_to_decimal(histogram);
	const emonfeed_bin *bins = emonfeed_histogram_bins(histogram);

	if (list_init(return_value, count)) {
		ZEND_HASH_FILL_PACKED(Z_ARRVAL_P(return_value)) {
			for (size_t i = 0; i < count; i++) {
				zval data2, sum, pair;
				ZVAL_DOUBLE(&data2, bins[i].data2);
				value_to_zval(&sum, bins[i].sum);
				ZVAL_ARR(&pair, zend_new_pair(&data2, &sum));
				ZEND_HASH_FILL_ADD(&pair);
			}
		} ZEND_HASH_FILL_END();
	}
	php_emonfeed_answer_release();
}

/* The held text as a PHP string; throws where memory_limit forbids it. */
static void text_to_zval(zval *zv)
{
	const emonfeed_text *text = EMONFEED_G(answer).text;
	size_t length = emonfeed_text_len(text);

	ZVAL_NULL(zv);
	if (has_room(length)) {
		ZVAL_STRINGL(zv, emonfeed_text_data(text), length);
	}
}

void php_emonfeed_answer_json(zval *return_value)
{
	php_emonfeed_answer *answer = &EMONFEED_G(answer);

	if (php_emonfeed_answer_failed(emonfeed_series_json(answer->series, &answer->text, &answer->error))) {
		return;
	}
	text_to_zval(return_value);
	php_emonfeed_answer_release();
}

void php_emonfeed_answer_csv(zval *return_value, const emonfeed_csv *csv)
{
	php_emonfeed_answer *answer = &EMONFEED_G(answer);

	if (php_emonfeed_answer_failed(emonfeed_series_csv(answer->series, csv, &answer->text, &answer->error))) {
		return;
	}
	text_to_zval(return_value);
	php_emonfeed_answer_release();
}

void php_emonfeed_add_report(zval *array, const emonfeed_report *report)
{
	const char *kept = emonfeed_report_kept(report);

	add_assoc_string(array, "outcome", emonfeed_report_outcome_name(report));
	php_emonfeed_add_count(array, "rows_copied", emonfeed_report_rows_copied(report));
	php_emonfeed_add_count(array, "rows_total", emonfeed_report_rows_total(report));
	php_emonfeed_add_count(array, "bytes_copied", emonfeed_report_bytes_copied(report));
	php_emonfeed_add_count(array, "bytes_total", emonfeed_report_bytes_total(report));
	php_emonfeed_add_count(array, "bytes_repaired", emonfeed_report_bytes_repaired(report));
	if (kept) {
		add_assoc_string(array, "kept", kept);
	} else {
		add_assoc_null(array, "kept");
	}
	add_assoc_bool(array, "definition_copied", emonfeed_report_definition_copied(report));
	add_assoc_bool(array, "dry_run", emonfeed_report_dry_run(report));
}

void php_emonfeed_answer_report(zval *return_value)
{
	const emonfeed_report *report = EMONFEED_G(answer).report;

	array_init_size(return_value, 10);
	php_emonfeed_add_report(return_value, report);
	add_assoc_string(return_value, "message", emonfeed_report_message(report));
	php_emonfeed_answer_release();
}
