/* What CSV looks like, as PHP says it. */
#ifndef PHP_EMONFEED_CSV_H
#define PHP_EMONFEED_CSV_H

#include "php_emonfeed.h"

typedef struct {
	emonfeed_csv csv;          /* lends the strings of the array it came from */
	emonfeed_offset *offsets;  /* NULL if there are none */
} php_emonfeed_csv;

/* Reads $format, argument number `argument`; false after throwing. */
bool php_emonfeed_csv_from(HashTable *format, uint32_t argument, php_emonfeed_csv *csv);

void php_emonfeed_csv_release(php_emonfeed_csv *csv);

#endif
