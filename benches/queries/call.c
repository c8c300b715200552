/*
 * call
 *
 * Makes calls of the library, and times them, for a PHP script that takes turns
 * with it: commands come as lines on stdin, their words parted by tabs, and
 * each is answered by a line on stdout. Times are the median of REPEATS, in
 * seconds, after one that does not count.
 *
 *   open NAME PATH HOW                              "ok", or "-" if it cannot
 *   windows NAME START END INTERVAL AGGREGATE FLAGS REPEATS
 *   json NAME START END INTERVAL AGGREGATE FLAGS REPEATS    the same as text
 *   points NAME START END INTERVAL AGGREGATE FLAGS  how many, then a line each
 *   words PATH REPEATS     reads the file as 8-byte words from a mapping
 *   map+words PATH REPEATS the same with the time that mapping it takes
 *
 * With REPEATS of 0 the one call is made that otherwise would not count, and it
 * is the one that is timed.
 */
#define _GNU_SOURCE
#include "bench.h"
#include <fcntl.h>
#include <inttypes.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST_FEEDS = 16, MOST_WORDS = 16, MOST_REPEATS = 1000 };

static struct {
    char name[64];
    emonfeed_feed *feed;
} feeds[MOST_FEEDS];
static int n_feeds;

static struct mapped {
    char *path;
    const unsigned char *bytes;
    size_t length;
} mapped;

/* What the answers were, so that no compiler leaves the work out. */
static volatile uint64_t seen;

static void usage(const char *line)
{
    fprintf(stderr, "call: cannot do this: %s\n", line);
    exit(2);
}

static emonfeed_feed *named(const char *name)
{
    for (int i = 0; i < n_feeds; i++)
        if (strcmp(feeds[i].name, name) == 0)
            return feeds[i].feed;
    usage(name);
    return NULL;
}

static void map(const char *path)
{
    struct stat status;
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0 || fstat(file, &status) != 0)
        fail(path);
    mapped.length = (size_t)status.st_size;
    void *bytes = mmap(NULL, mapped.length, PROT_READ, MAP_SHARED | MAP_POPULATE, file, 0);
    if (bytes == MAP_FAILED)
        fail(path);
    mapped.bytes = bytes;
    close(file);
}

static void unmap(void)
{
    if (mapped.bytes != NULL)
        munmap((void *)mapped.bytes, mapped.length);
    mapped.bytes = NULL;
}

/* Four sums, so that none waits for the one before. */
static void read_words(void)
{
    const uint64_t *words = (const uint64_t *)mapped.bytes;
    size_t n = mapped.length / 32 * 4;
    uint64_t a = 0, b = 0, c = 0, d = 0;

    for (size_t i = 0; i < n; i += 4) {
        a += words[i];
        b += words[i + 1];
        c += words[i + 2];
        d += words[i + 3];
    }
    seen += a + b + c + d;
}

static emonfeed_series *ask(char **word)
{
    emonfeed_series *series = NULL;
    emonfeed_error *error = NULL;

    must(emonfeed_feed_windows(named(word[1]), strtoll(word[2], NULL, 10),
                               strtoll(word[3], NULL, 10), strtoll(word[4], NULL, 10),
                               (int32_t)strtol(word[5], NULL, 10),
                               (uint32_t)strtoul(word[6], NULL, 10), &series, &error),
         &error);
    return series;
}

static void do_windows(char **word)
{
    emonfeed_series *series = ask(word);
    seen += emonfeed_series_len(series);
    emonfeed_series_free(series);
}

static void do_json(char **word)
{
    emonfeed_series *series = ask(word);
    emonfeed_text *text = NULL;
    emonfeed_error *error = NULL;

    must(emonfeed_series_json(series, &text, &error), &error);
    seen += emonfeed_text_len(text);
    emonfeed_text_free(text);
    emonfeed_series_free(series);
}

static void do_words(char **word)
{
    (void)word;
    read_words();
}

static void do_map_and_words(char **word)
{
    map(word[1]);
    read_words();
    unmap();
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void time_of(void (*call)(char **), char **word, const char *repeats)
{
    static double took[MOST_REPEATS];
    long n = strtol(repeats, NULL, 10);
    if (n < 0 || n > MOST_REPEATS)
        usage(repeats);

    double begun = now();
    call(word);
    took[0] = now() - begun;
    for (long i = 0; i < n; i++) {
        begun = now();
        call(word);
        took[i] = now() - begun;
    }
    if (n < 1)
        n = 1;
    qsort(took, (size_t)n, sizeof *took, by_size);
    printf("%.9f\n", (took[(n - 1) / 2] + took[n / 2]) / 2);
}

static void print_points(char **word)
{
    emonfeed_series *series = ask(word);
    const emonfeed_point *point = emonfeed_series_points(series);
    size_t n = emonfeed_series_len(series);

    printf("%zu\n", n);
    for (size_t i = 0; i < n; i++)
        printf("%" PRId64 " %.17g\n", point[i].time, point[i].value);
    emonfeed_series_free(series);
}

int main(void)
{
    char line[8192];

    while (fgets(line, sizeof line, stdin) != NULL) {
        char *word[MOST_WORDS] = {NULL};
        int n = 0;
        line[strcspn(line, "\n")] = '\0';
        for (char *at = strtok(line, "\t"); at != NULL && n < MOST_WORDS; at = strtok(NULL, "\t"))
            word[n++] = at;

        const char *command = n > 0 ? word[0] : "";
        if (strcmp(command, "open") == 0 && n == 4 && n_feeds < MOST_FEEDS &&
            strlen(word[1]) < sizeof feeds[0].name) {
            strcpy(feeds[n_feeds].name, word[1]);
            feeds[n_feeds].feed = open_feed(word[2], word[3]);
            puts(feeds[n_feeds].feed != NULL ? "ok" : "-");
            n_feeds++;
        } else if (strcmp(command, "windows") == 0 && n == 8) {
            time_of(do_windows, word, word[7]);
        } else if (strcmp(command, "json") == 0 && n == 8) {
            time_of(do_json, word, word[7]);
        } else if (strcmp(command, "points") == 0 && n == 7) {
            print_points(word);
        } else if (strcmp(command, "words") == 0 && n == 3) {
            if (mapped.path == NULL || strcmp(mapped.path, word[1]) != 0) {
                unmap();
                free(mapped.path);
                mapped.path = strdup(word[1]);
                map(word[1]);
            }
            time_of(do_words, word, word[2]);
        } else if (strcmp(command, "map+words") == 0 && n == 3) {
            unmap();
            free(mapped.path);
            mapped.path = NULL;
            time_of(do_map_and_words, word, word[2]);
        } else {
            usage(command);
        }
        fflush(stdout);
    }
    for (int i = 0; i < n_feeds; i++)
        emonfeed_feed_free(feeds[i].feed);
    unmap();
    free(mapped.path);
    return 0;
}
