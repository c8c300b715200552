/* From the library's answers to PHP's. */
#ifndef PHP_EMONFEED_ANSWER_H
#define PHP_EMONFEED_ANSWER_H

#include "php_emonfeed.h"

/* The place for the answer of the call to come, empty. */
php_emonfeed_answer *php_emonfeed_answer_begin(void);

/* Frees what is still held. */
void php_emonfeed_answer_release(void);

/* Throws if the call failed: ValueError if it was the arguments,
 * Emonfeed\Exception otherwise. */
bool php_emonfeed_answer_failed(emonfeed_status status);

/* These turn the held answer into a PHP value and free it. */
void php_emonfeed_answer_points(zval *return_value);  /* list of [time, ?value] */
void php_emonfeed_answer_point(zval *return_value);   /* ['time' =>, 'value' =>] or null */
void php_emonfeed_answer_bins(zval *return_value);    /* list of [data2, ?sum] */
void php_emonfeed_answer_json(zval *return_value);    /* the points as JSON */
void php_emonfeed_answer_csv(zval *return_value, const emonfeed_csv *csv);  /* the points as CSV */
void php_emonfeed_answer_report(zval *return_value);  /* what one copy did */

/* What was done about a feed, except for the message. */
void php_emonfeed_add_report(zval *array, const emonfeed_report *report);

#endif
