//! What a query must return, said in SQL and answered by the server.
//!
//! The questions are put to a snapshot: a temporary table with the rows of the
//! feed that have a time, `t` and `v` being the exact numbers (MariaDB shows a
//! FLOAT with six digits, but `CAST(data AS DOUBLE)` in full), `v2` the column
//! `data2`. `k` sorts by time and, among equal times, by place in the file:
//! `USE INDEX ()` makes the server read the file from front to back, and the
//! counter numbers the rows as they come.

use super::{Client, Rows};
use emonfeed::query::{Bin, Flags, Point, Series};
use std::collections::HashMap;

/// A point the server expects: `None` is NULL.
#[derive(Clone, Debug)]
pub struct Expected {
    pub time: i64,
    pub value: Option<f64>,
    /// How large the numbers were that the value was computed from; 0 for a
    /// value that was only picked and must come back bit for bit.
    pub scale: f64,
}

/// Sums of the same numbers in another order may differ by this part of the
/// sum of their sizes (at most some thousand numbers are summed).
const TOLERANCE: f64 = 1e-12;

/// All sixteen combinations of flags.
pub fn all_flags() -> impl Iterator<Item = Flags> {
    (0..16).map(|bits| Flags::from_bits(bits).expect("four flags"))
}

/// Makes the empty table for snapshots.
pub fn prepare(client: &mut Client) {
    client
        .sql(
            "CREATE OR REPLACE TEMPORARY TABLE snapshot (
                 k BIGINT NOT NULL, t BIGINT NOT NULL, v DOUBLE, v2 DOUBLE,
                 PRIMARY KEY (k) USING BTREE, KEY (t) USING BTREE
             ) ENGINE=MEMORY",
        )
        .expect("a temporary table");
}

/// Takes the snapshot of `table`.
pub fn snapshot(table: &str, histogram: bool) -> String {
    let data2 = if histogram { "CAST(data2 AS DOUBLE)" } else { "NULL" };
    format!(
        "TRUNCATE snapshot; SET @row := 0;
         INSERT INTO snapshot
         SELECT time * 10000000 + (@row := @row + 1), time, CAST(data AS DOUBLE), {data2}
         FROM {table} USE INDEX () WHERE time IS NOT NULL"
    )
}

/// Rows in `[start, end]`.
pub fn rows(start: i64, end: i64, limit: u64) -> String {
    let limit = if limit == 0 { u64::MAX } else { limit };
    format!(
        "SELECT t, v, 0 FROM snapshot WHERE t BETWEEN {start} AND {end}
         ORDER BY k LIMIT {limit}"
    )
}

/// The latest row.
pub fn last() -> String {
    "SELECT t, v, 0 FROM snapshot ORDER BY k DESC LIMIT 1".into()
}

/// Number of rows, first and last time, asked of the feed itself; then from
/// the snapshot whether time ever goes backwards in the file; then the bytes,
/// the bytes of deleted rows and the rows of any kind.
pub fn meta(table: &str) -> String {
    format!(
        "SELECT npoints, first, last,
                NOT EXISTS (
                    SELECT 1
                    FROM (SELECT t, LAG(t) OVER (ORDER BY k - t * 10000000) AS before_it
                          FROM snapshot) AS in_file_order
                    WHERE before_it > t),
                data_length, data_free, table_rows
         FROM (SELECT COUNT(time) AS npoints, COALESCE(MIN(time), 0) AS first,
                      COALESCE(MAX(time), 0) AS last FROM {table}) AS of_the_feed
              JOIN information_schema.tables
         WHERE table_schema = DATABASE() AND table_name = '{table}'"
    )
}

/// Edges `start, start+interval, …`, as a table of windows.
pub fn regular(start: i64, end: i64, interval: i64) -> String {
    // The server drops those beyond the end; here is only a number that is
    // large enough.
    let enough = ((end - start).max(0) / interval) + 1;
    format!(
        "SELECT lo, lo + {interval} AS hi
         FROM (SELECT {start} + {interval} * CAST(seq AS SIGNED) AS lo
               FROM seq_0_to_{enough}) AS starts
         WHERE lo <= {end}"
    )
}

/// Given edges, as a table of windows.
pub fn listed(edges: &[i64]) -> String {
    let pairs: Vec<String> = edges
        .windows(2)
        .map(|pair| format!("SELECT {} AS lo, {} AS hi", pair[0], pair[1]))
        .collect();
    if pairs.is_empty() {
        "SELECT 0 AS lo, 0 AS hi FROM seq_1_to_1 WHERE FALSE".into()
    } else {
        pairs.join(" UNION ALL ")
    }
}

/// Every aggregate with every combination of flags over the windows in
/// `edges`, the query's end being `end`: aggregate, flags, time, value, scale.
///
/// First each window's facts, once with and once without the rows at or after
/// the end, then the rows of its extremes, then the answers chosen from them.
pub fn windows(edges: &str, end: i64) -> String {
    format!(
        "WITH
         edges AS ({edges}),
         clips AS (SELECT 0 AS clip, 9223372036854775807 AS cut
                   UNION ALL SELECT 8, {end}),
         facts AS (
             SELECT lo, hi, clip, cut,
                    MIN(s.k) AS first_or_at_end,
                    MIN(IF(s.t < hi, s.k, NULL)) AS first_row,
                    MAX(IF(s.t < hi, s.k, NULL)) AS last_row,
                    AVG(IF(s.t < hi, s.v, NULL)) AS average,
                    MIN(IF(s.t < hi, s.v, NULL)) AS least,
                    MAX(IF(s.t < hi, s.v, NULL)) AS most,
                    SUM(IF(s.t < hi, s.v, NULL)) AS total,
                    COUNT(IF(s.t < hi, s.v, NULL)) AS number,
                    SUM(IF(s.t < hi, ABS(s.v), NULL)) AS size
             FROM edges CROSS JOIN clips
                  LEFT JOIN snapshot AS s ON s.t BETWEEN lo AND hi AND s.t < cut
             GROUP BY lo, hi, clip, cut),
         more_facts AS (
             SELECT facts.*, MIN(IF(s.v = least, s.k, NULL)) AS least_row,
                    MIN(IF(s.v = most, s.k, NULL)) AS most_row
             FROM facts LEFT JOIN snapshot AS s
                  ON s.t BETWEEN lo AND hi - 1 AND s.t < cut AND s.v IN (least, most)
             GROUP BY lo, clip),
         answers AS (
             SELECT a.seq AS aggregate, f.seq AS flags, lo, chosen.t AS own_time,
                    CASE a.seq
                        WHEN 2 THEN average WHEN 5 THEN total WHEN 6 THEN number
                        ELSE chosen.v END AS value,
                    CASE a.seq
                        WHEN 2 THEN size / number WHEN 5 THEN size ELSE 0 END AS scale
             FROM more_facts
                  JOIN seq_0_to_6 AS a
                  JOIN seq_0_to_15 AS f ON f.seq & 8 = clip
                  LEFT JOIN snapshot AS chosen ON chosen.k = CASE a.seq
                      WHEN 0 THEN IF(f.seq & 1, first_or_at_end, first_row)
                      WHEN 1 THEN last_row WHEN 3 THEN least_row WHEN 4 THEN most_row END)
         SELECT aggregate, flags,
                IF(flags & 4 AND own_time IS NOT NULL AND value IS NOT NULL, own_time, lo),
                value, COALESCE(scale, 0)
         FROM answers WHERE NOT (flags & 2 AND value IS NULL)
         ORDER BY aggregate, flags, lo"
    )
}

/// Every mode at the given times: mode, time, value, scale.
pub fn values_at(times: &[i64]) -> String {
    let list: Vec<String> = times
        .iter()
        .enumerate()
        .map(|(i, time)| format!("SELECT {i} AS i, {time} AS q"))
        .collect();
    let list = if list.is_empty() {
        "SELECT 0 AS i, 0 AS q FROM seq_1_to_1 WHERE FALSE".into()
    } else {
        list.join(" UNION ALL ")
    };
    format!(
        "WITH
         asked AS ({list}),
         found AS (
             SELECT i, q,
                    MIN(IF(s.t >= q, s.k, NULL)) AS next_row,
                    MAX(IF(s.t <= q, s.k, NULL)) AS previous_row,
                    MIN(IF(s.t > q, s.k, NULL)) AS later_row,
                    MIN(IF(s.t = q, s.k, NULL)) AS exact_row
             FROM asked LEFT JOIN snapshot AS s ON TRUE GROUP BY i, q)
         SELECT m.seq, q,
                CASE m.seq
                    WHEN 0 THEN nxt.v WHEN 1 THEN prev.v WHEN 3 THEN exact.v
                    ELSE IF(prev.t = q, prev.v,
                            prev.v + (later.v - prev.v) * (q - prev.t) / (later.t - prev.t))
                END,
                IF(m.seq = 2 AND prev.t < q,
                   COALESCE(GREATEST(ABS(prev.v), ABS(later.v)), 0), 0)
         FROM found JOIN seq_0_to_3 AS m
              LEFT JOIN snapshot AS nxt ON nxt.k = next_row
              LEFT JOIN snapshot AS prev ON prev.k = previous_row
              LEFT JOIN snapshot AS later ON later.k = later_row
              LEFT JOIN snapshot AS exact ON exact.k = exact_row
         ORDER BY m.seq, i"
    )
}

/// Σ data over `[start, end)` by data2.
pub fn histogram(start: i64, end: i64) -> String {
    format!(
        "SELECT v2, SUM(v), COALESCE(SUM(ABS(v)), 0) FROM snapshot
         WHERE t >= {start} AND t < {end} AND v2 IS NOT NULL GROUP BY v2 ORDER BY v2"
    )
}

/// Σ data by time over `min ≤ data2 ≤ max`.
pub fn sum_by_time(min: f64, max: f64) -> String {
    format!(
        "SELECT t, SUM(v), COALESCE(SUM(ABS(v)), 0) FROM snapshot
         WHERE v2 BETWEEN {min:e} AND {max:e} GROUP BY t ORDER BY t"
    )
}

/// The call of 2013, asked of the feed itself as far as its choice of rows is
/// plain. `end` 0 is now; only used where that cannot matter.
pub fn feed_data(table: &str, start_ms: i64, end_ms: i64, dp: i64) -> String {
    let start = format!("({start_ms}e0 / 1000)");
    let end = if end_ms == 0 {
        "(0e0 + UNIX_TIMESTAMP())".to_string()
    } else {
        format!("({end_ms}e0 / 1000)")
    };
    let range = (end_ms - start_ms) as f64 / 1000.0;
    if range > 180_000.0 && dp > 0 {
        let last = dp - 1;
        // Bound as whole numbers, as the statement of 2013 did.
        let bound = |i: &str| {
            format!(
                "TRUNCATE({start} + TRUNCATE({i} * (({end} - {start}) / {dp}), 0), 0)"
            )
        };
        let (from, to) = (bound("i.seq"), bound("(i.seq + 1)"));
        format!(
            "SELECT s.t * 1000, s.v, 0
             FROM (SELECT i.seq AS i, MIN(s.k) AS chosen
                   FROM seq_0_to_{last} AS i JOIN snapshot AS s
                        ON s.t BETWEEN {from} AND {to}
                   GROUP BY i.seq) AS firsts
                  JOIN snapshot AS s ON s.k = chosen
             WHERE s.v IS NOT NULL ORDER BY i"
        )
    } else if range > 5000.0 && dp > 0 {
        let step = format!("GREATEST(1, TRUNCATE(({end} - {start}) / {dp}, 0))");
        format!(
            "SELECT FLOOR(time / {step}) * {step} * 1000 AS bucket, AVG(CAST(data AS DOUBLE)),
                    AVG(ABS(CAST(data AS DOUBLE)))
             FROM {table} WHERE time BETWEEN {start} AND {end} AND data IS NOT NULL
             GROUP BY bucket ORDER BY bucket"
        )
    } else {
        format!(
            "SELECT t * 1000, v, 0 FROM snapshot
             WHERE t BETWEEN {start} AND {end} AND v IS NOT NULL ORDER BY t DESC, k DESC"
        )
    }
}

/// Reads an answer's time, value and scale from its cells on from `first`.
pub fn points(rows: &Rows, first: usize) -> Vec<Expected> {
    rows.iter().map(|row| point(row, first)).collect()
}

fn point(row: &[Option<String>], first: usize) -> Expected {
    let number = |cell: &Option<String>| -> Option<f64> {
        cell.as_deref().map(|text| text.parse().unwrap_or_else(|_| panic!("{row:?}")))
    };
    let time = row[first].as_deref().expect("a time");
    Expected {
        // A product with a DOUBLE is one, and may be shown as 1e15.
        time: time
            .parse()
            .unwrap_or_else(|_| time.parse::<f64>().expect("a time") as i64),
        value: number(&row[first + 1]),
        scale: number(&row[first + 2]).expect("a scale"),
    }
}

/// The parts of an answer to [`windows`] or [`values_at`], by their first
/// cells.
pub fn parts<const N: usize>(rows: &Rows) -> HashMap<[i32; N], Vec<Expected>> {
    let mut parts = HashMap::<_, Vec<_>>::new();
    for row in rows {
        let key = std::array::from_fn(|i| {
            row[i].as_deref().and_then(|cell| cell.parse().ok()).expect("a key")
        });
        parts.entry(key).or_default().push(point(row, N));
    }
    parts
}

/// Where the answer differs from what the server expects, if it does.
pub fn difference(got: &Series, expected: &[Expected]) -> Option<String> {
    first_difference(
        got.points.iter().map(|&Point { time, value }| (time as f64, value)),
        expected.iter().map(|e| (e.time as f64, e.value, e.scale)),
    )
}

/// The same for a histogram, whose answer is data2, sum, scale.
pub fn bins_difference(got: &[Bin], rows: &Rows) -> Option<String> {
    let number = |cell: &Option<String>| -> Option<f64> {
        cell.as_deref().map(|text| text.parse().expect("a number"))
    };
    first_difference(
        got.iter().map(|bin| (bin.data2, bin.sum)),
        rows.iter().map(|row| {
            (
                number(&row[0]).expect("data2"),
                number(&row[1]),
                number(&row[2]).unwrap_or(0.0),
            )
        }),
    )
}

fn first_difference(
    got: impl Iterator<Item = (f64, f64)>,
    expected: impl Iterator<Item = (f64, Option<f64>, f64)>,
) -> Option<String> {
    let got: Vec<_> = got.collect();
    let expected: Vec<_> = expected.collect();
    let same = |(time, value): (f64, f64),
                (at, wanted, scale): (f64, Option<f64>, f64)| {
        time == at
            && match wanted {
                None => value.is_nan(),
                Some(wanted) => {
                    value == wanted || (value - wanted).abs() <= scale * TOLERANCE
                }
            }
    };
    for i in 0..got.len().max(expected.len()) {
        match (got.get(i), expected.get(i)) {
            (Some(&a), Some(&b)) if same(a, b) => {}
            (a, b) => {
                return Some(format!(
                    "point {i} of {}: emonfeed says {a:?}, SQL says {b:?} (of {})",
                    got.len(),
                    expected.len()
                ));
            }
        }
    }
    None
}
