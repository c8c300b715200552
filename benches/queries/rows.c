/*
 * rows write FILE.MYD ROWS      a bare feed, with the times and much the values
 *                               that queries.sh has the server make
 * rows fina FILE.MYD FILE.dat   the rows of a feed as PHPFina keeps them: a
 *                               float32 for each 5 seconds from the first one
 *                               on, NaN where no reading is
 *
 * Rows are the nine bytes of today's table (both columns NOT NULL); those of
 * `fina` must all be there and in order.
 */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROW = 9, INTERVAL = 5 };

static FILE *open_file(const char *path, const char *mode)
{
    FILE *file = fopen(path, mode);
    if (file == NULL) {
        perror(path);
        exit(1);
    }
    return file;
}

static void put(const void *bytes, size_t length, FILE *file)
{
    if (fwrite(bytes, length, 1, file) != 1) {
        perror("rows");
        exit(1);
    }
}

static void write_rows(const char *path, uint64_t rows)
{
    FILE *file = open_file(path, "wb");
    for (uint64_t seq = 1; seq <= rows; seq++) {
        uint32_t time = (uint32_t)(1672531200 + 5 * seq + (seq % 17 == 0) +
                                   1200 * (seq / 300000) + 93600 * (seq / 2000000));
        double watts = 230 + 150 * sin((double)seq / 2750) + (double)(seq * 7919 % 1000) / 10 +
                       (seq % 3000 < 40 ? 2400 : 0);
        float value = (float)(round(watts * 10) / 10);
        unsigned char row[ROW] = {0xf9};
        memcpy(row + 1, &time, 4);
        memcpy(row + 5, &value, 4);
        put(row, sizeof row, file);
    }
    if (fclose(file) != 0) {
        perror(path);
        exit(1);
    }
}

static void write_fina(const char *from, const char *to)
{
    FILE *in = open_file(from, "rb"), *out = open_file(to, "wb");
    unsigned char row[ROW];
    uint64_t slot = 0;
    uint32_t first = 0;

    while (fread(row, sizeof row, 1, in) == 1) {
        uint32_t time;
        memcpy(&time, row + 1, 4);
        if (first == 0)
            first = time - time % INTERVAL;
        uint64_t at = (time - first) / INTERVAL;
        if (row[0] == 0 || at < slot) {
            fprintf(stderr, "%s: a row is missing or out of order\n", from);
            exit(1);
        }
        for (const float none = NAN; slot < at; slot++)
            put(&none, 4, out);
        put(row + 5, 4, out);
        slot++;
    }
    if (ferror(in) || fclose(out) != 0) {
        perror(to);
        exit(1);
    }
    fclose(in);
}

int main(int argc, char **argv)
{
    const uint32_t one = 1;

    if (*(const unsigned char *)&one != 1) {
        fputs("rows: written for little-endian machines only\n", stderr);
        return 1;
    }
    if (argc == 4 && strcmp(argv[1], "write") == 0) {
        write_rows(argv[2], strtoull(argv[3], NULL, 10));
    } else if (argc == 4 && strcmp(argv[1], "fina") == 0) {
        write_fina(argv[2], argv[3]);
    } else {
        fputs("usage: rows write FILE ROWS | rows fina FILE.MYD FILE.dat\n", stderr);
        return 2;
    }
    return 0;
}
