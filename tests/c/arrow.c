/* Reads a feed as an Arrow C stream, prints what is in it, and takes a column out of
 * each batch, as a consumer may:
 *
 *     arrow feed_7.MYD start end batch
 *
 * Prints the columns, for each batch its rows, and in the end the number of batches;
 * then what is said of wrong arguments, and of the feed once it was cleared.
 */
#include "arrow_abi.h"
#include <emonfeed.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Ends the program over a call that failed. */
static void failed(emonfeed_error *error) {
    fprintf(stderr, "%s\n", emonfeed_error_message(error));
    emonfeed_error_free(error);
    exit(1);
}

static void print_columns(struct ArrowArrayStream *stream) {
    struct ArrowSchema schema;
    if (stream->get_schema(stream, &schema) != 0) {
        exit(1);
    }
    printf("%s:", schema.format);
    for (int64_t i = 0; i < schema.n_children; i++) {
        const struct ArrowSchema *column = schema.children[i];
        printf(" %s %s%s", column->name, column->format, column->flags & 2 ? "?" : "");
    }
    printf("\n");
    schema.release(&schema);
    if (schema.release != NULL) {
        exit(1);
    }
}

static int is_null(const struct ArrowArray *column, int64_t row) {
    const unsigned char *bits = (const unsigned char *)column->buffers[0];
    return bits != NULL && !(bits[row / 8] >> row % 8 & 1);
}

static void print_batch(const struct ArrowArray *times, const struct ArrowArray *values) {
    for (int64_t row = 0; row < times->length; row++) {
        printf(" %" PRId64, ((const int64_t *)times->buffers[1])[row]);
        if (is_null(values, row)) {
            printf("=null");
        } else {
            printf("=%g", (double)((const float *)values->buffers[1])[row]);
        }
    }
    printf(" (%" PRId64 " null)\n", values->null_count);
}

int main(int argc, char **argv) {
    emonfeed_feed *feed = NULL;
    emonfeed_error *error = NULL;
    struct ArrowArrayStream stream;
    if (argc != 5) {
        fprintf(stderr, "usage: arrow FILE START END BATCH\n");
        return 2;
    }
    int64_t start = atoll(argv[2]), end = atoll(argv[3]);
    uint64_t batch = (uint64_t)atoll(argv[4]);
    if (emonfeed_feed_open(argv[1], 0, &feed, &error) != EMONFEED_STATUS_OK ||
        emonfeed_feed_arrow(feed, start, end, batch, &stream, &error) != EMONFEED_STATUS_OK) {
        failed(error);
    }
    /* Of a stream that nobody reads nothing stays behind either. */
    struct ArrowArrayStream unread;
    if (emonfeed_feed_arrow(feed, start, end, 0, &unread, &error) != EMONFEED_STATUS_OK) {
        failed(error);
    }
    unread.release(&unread);

    print_columns(&stream);
    int batches = 0;
    for (;;) {
        struct ArrowArray rows, values;
        if (stream.get_next(&stream, &rows) != 0) {
            fprintf(stderr, "%s\n", stream.get_last_error(&stream));
            return 1;
        }
        if (rows.release == NULL) {
            break;
        }
        /* A column may be taken out and lives on by itself. */
        memcpy(&values, rows.children[1], sizeof values);
        rows.children[1]->release = NULL;
        print_batch(rows.children[0], &values);
        rows.release(&rows);
        if (rows.release != NULL || values.length < 1) {
            return 1;
        }
        values.release(&values);
        batches++;
    }
    printf("%d batches, last error: %s\n", batches,
           stream.get_last_error(&stream) == NULL ? "none" : "some");
    stream.release(&stream);
    if (stream.release != NULL) {
        return 1;
    }

    if (emonfeed_feed_arrow(NULL, 0, 1, 0, &stream, &error) != EMONFEED_STATUS_ARGUMENT) {
        return 1;
    }
    printf("%s\n", emonfeed_error_message(error));
    emonfeed_error_free(error);
    error = NULL;
    if (emonfeed_feed_arrow(feed, 0, 1, 0, NULL, &error) != EMONFEED_STATUS_ARGUMENT) {
        return 1;
    }
    printf("%s\n", emonfeed_error_message(error));
    emonfeed_error_free(error);
    error = NULL;

    /* The handle is not needed any more; the rows are. */
    if (emonfeed_feed_arrow(feed, start, end, 1, &stream, &error) != EMONFEED_STATUS_OK) {
        failed(error);
    }
    emonfeed_feed_free(feed);
    struct ArrowArray first, next;
    if (stream.get_next(&stream, &first) != 0 || first.release == NULL) {
        return 1;
    }
    first.release(&first);
    FILE *file = fopen(argv[1], "wb");
    if (file == NULL || fclose(file) != 0) {
        return 1;
    }
    int code = stream.get_next(&stream, &next);
    const char *said = stream.get_last_error(&stream);
    printf("cleared: %d, %s\n", code != 0, strstr(said, "changed or deleted") ? "said so" : said);
    stream.release(&stream);
    return 0;
}
