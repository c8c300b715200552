//! Every query against a naive answer computed from the rows in memory, over
//! random feeds: deleted rows, NULLs, NaN, equal times, rows out of order,
//! gaps, torn tails.

mod naive;

use emonfeed::query::{self, Aggregate, Flags, Mode, Point, Position};
use emonfeed::{Access, Feed, Options};
use naive::Row;
use proptest::prelude::*;
use std::fs;
use tempfile::TempDir;

/// One slot of a nine-byte file.
#[derive(Clone, Debug)]
struct Slot {
    flag: u8,
    time: u32,
    value: f32,
}

impl Slot {
    fn bytes(&self) -> [u8; 9] {
        let mut bytes = [0; 9];
        bytes[0] = self.flag;
        bytes[1..5].copy_from_slice(&self.time.to_le_bytes());
        bytes[5..].copy_from_slice(&self.value.to_le_bytes());
        bytes
    }
}

/// The definition of QUERIES: live rows with a time, by (time, row number).
fn rows_of(slots: &[Slot]) -> Vec<Row> {
    let mut rows: Vec<Row> = slots
        .iter()
        .filter(|slot| slot.flag & 1 == 1 && slot.flag & 2 == 0)
        .map(|slot| Row {
            time: i64::from(slot.time),
            value: if slot.flag & 4 == 0 { f64::from(slot.value) } else { f64::NAN },
        })
        .collect();
    rows.sort_by_key(|row| row.time);
    rows
}

fn slot(time: impl Strategy<Value = u32>) -> impl Strategy<Value = Slot> {
    let flag = prop_oneof![
        20 => Just(0xf9_u8),
        2 => Just(0xfd),
        1 => Just(0xfb),
        1 => Just(0xff),
        3 => Just(0x00),
    ];
    let value = prop_oneof![
        10 => -100_i16..100,
        1 => Just(i16::MAX),
    ];
    (flag, time, value).prop_map(|(flag, time, value)| Slot {
        flag,
        time,
        value: if value == i16::MAX { f32::NAN } else { f32::from(value) / 4.0 },
    })
}

/// Rows in any order within few seconds: many ties.
fn shuffled() -> impl Strategy<Value = Vec<Slot>> {
    prop::collection::vec(slot(0_u32..60), 0..80)
}

/// A feed as it is in life: ticks, gaps, a few rows out of place.
fn regular() -> impl Strategy<Value = Vec<Slot>> {
    let ticks = prop::collection::vec(
        (slot(0_u32..1), prop_oneof![30 => 9_u32..12, 1 => 0_u32..5000], 0_u32..200),
        0..600,
    );
    (any::<u16>(), ticks).prop_map(|(start, ticks)| {
        let mut now = u32::from(start);
        ticks
            .into_iter()
            .map(|(mut slot, step, chance)| {
                now += step;
                slot.time = if chance == 0 { now / 2 } else { now };
                slot
            })
            .collect()
    })
}

/// Long stretches without an exception, which are taken in block by block.
fn long() -> impl Strategy<Value = Vec<Slot>> {
    (any::<u64>(), 100..4000_usize, 0..6_u32).prop_map(|(seed, len, exceptions)| {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut now = random.u32(..1000);
        let mut slots = Vec::new();
        for _ in 0..len {
            // Now and then it was switched off.
            now += if random.u32(..500) == 0 { 200 } else { random.u32(0..3) };
            let mut slot = Slot {
                flag: 0xf9,
                time: now,
                value: random.i32(-4000..4000) as f32 / 8.0,
            };
            if random.usize(..len) < exceptions as usize {
                match random.u32(..6) {
                    0 => slot.flag = 0,
                    1 => slot.flag = 0xfd,
                    2 => slot.flag = 0xfb,
                    3 => slot.value = f32::NAN,
                    4 => slot.value = -0.0,
                    _ => slot.time = random.u32(..=now),
                }
            }
            slots.push(slot);
        }
        slots
    })
}

fn feeds() -> impl Strategy<Value = Vec<Slot>> {
    prop_oneof![shuffled(), regular(), long()].prop_map(|mut slots| {
        // A row that settles which of the nine-byte layouts it is.
        if !slots.is_empty() {
            slots[0].flag = 0xf9;
        }
        slots
    })
}

struct Files {
    _dir: TempDir,
    feeds: [Feed; 2],
}

/// The feed on disk, opened both ways, with a torn row at the end.
fn written(slots: &[Slot], torn: usize) -> Files {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("feed_1.MYD");
    let mut bytes: Vec<u8> = slots.iter().flat_map(Slot::bytes).collect();
    bytes.extend(&[0xf9; 8][..torn]);
    fs::write(&path, bytes).unwrap();
    let open = |access| {
        Feed::open_with(&path, Options { access, ..Options::default() }).unwrap()
    };
    Files { feeds: [open(Access::Mmap), open(Access::Pread)], _dir: dir }
}

fn same(got: &[Point], want: &[Point], tolerance: f64) -> Result<(), TestCaseError> {
    let difference = naive::difference(got, want, tolerance);
    prop_assert!(difference.is_none(), "{}", difference.unwrap_or_default());
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn windows_are_what_the_definition_says(
        slots in feeds(), torn in 0_usize..9, start in -50_i64..4000, span in -10_i64..6000,
        interval in 1_i64..900, bits in 0_u32..16,
    ) {
        let files = written(&slots, torn);
        let rows = rows_of(&slots);
        let flags = Flags::from_bits(bits).unwrap();
        let end = start + span;
        for aggregate in Aggregate::ALL {
            let want = naive::windows(&rows, (start, end), interval, aggregate, flags);
            for feed in &files.feeds {
                let got = query::windows(feed, start, end, interval, aggregate, flags).unwrap();
                same(&got.points, &want, 1e-12)?;
            }
        }
    }

    #[test]
    fn windows_at_are_what_the_definition_says(
        slots in feeds(), edges in prop::collection::btree_set(-20_i64..6000, 0..30),
        bits in 0_u32..16,
    ) {
        let files = written(&slots, 0);
        let rows = rows_of(&slots);
        let flags = Flags::from_bits(bits).unwrap();
        let edges: Vec<i64> = edges.into_iter().collect();
        for aggregate in Aggregate::ALL {
            let want = naive::windows_at(&rows, &edges, aggregate, flags);
            for feed in &files.feeds {
                let got = query::windows_at(feed, &edges, aggregate, flags).unwrap();
                same(&got.points, &want, 1e-12)?;
            }
        }
    }

    #[test]
    fn values_at_are_what_the_definition_says(
        slots in feeds(), times in prop::collection::vec(-20_i64..7000, 0..60), near in any::<bool>(),
        skip in any::<bool>(), true_time in any::<bool>(),
    ) {
        let flags = (if skip { Flags::SKIP_MISSING } else { Flags::NONE })
            .with(if true_time { Flags::TRUE_TIME } else { Flags::NONE });
        let files = written(&slots, 3);
        let rows = rows_of(&slots);
        let times: Vec<i64> = if near {
            // Times at and beside rows, where the rules differ.
            times.iter().enumerate()
                .map(|(i, &t)| rows.get(i * 7 % rows.len().max(1)).map_or(t, |row| row.time + t % 2))
                .collect()
        } else {
            times
        };
        for mode in Mode::ALL {
            let want = naive::values_at(&rows, &times, mode, flags);
            for feed in &files.feeds {
                let got = query::values_at(feed, &times, mode, flags).unwrap();
                same(&got.points, &want, 1e-12)?;
            }
        }
    }

    #[test]
    fn rows_last_and_meta_are_what_the_definition_says(
        slots in feeds(), torn in 0_usize..9, start in -50_i64..4000, span in -10_i64..6000,
        limit in 0_u64..20,
    ) {
        let files = written(&slots, torn);
        let all = rows_of(&slots);
        let end = start + span;
        let want = naive::rows_between(&all, start, end, limit);
        for feed in &files.feeds {
            same(&query::rows(feed, start, end, limit).unwrap().points, &want, 0.0)?;
            let mut pieces = Vec::new();
            let mut from = Position::at(start);
            loop {
                let (piece, behind) = query::rows_from(feed, from, end, limit).unwrap();
                pieces.extend(piece.points.iter().copied());
                if (piece.points.len() as u64) < limit || limit == 0 {
                    break;
                }
                from = behind;
            }
            same(&pieces, &query::rows(feed, start, end, 0).unwrap().points, 0.0)?;
            same(&query::last(feed).unwrap().points, &naive::last(&all), 0.0)?;
            let meta = query::meta(feed).unwrap();
            prop_assert_eq!(meta.npoints, all.len() as u64);
            prop_assert_eq!(meta.slots, slots.len() as u64);
            prop_assert_eq!(meta.start_time, all.first().map_or(0, |row| row.time));
            prop_assert_eq!(meta.end_time, all.last().map_or(0, |row| row.time));
            let in_order = slots.iter()
                .filter(|slot| slot.flag & 1 == 1 && slot.flag & 2 == 0)
                .map(|slot| slot.time)
                .is_sorted();
            prop_assert_eq!(meta.sorted, in_order);
        }
    }

    #[test]
    fn feed_data_is_what_the_model_of_2013_answered(
        slots in feeds(), start in -5_000_i64..200_000, dp in -1_i64..900, tenths in 0_i64..10,
        range in prop_oneof![0_i64..6_000, 4_990_i64..5_010, 5_000_i64..180_000, 179_990_i64..180_010, 180_000_i64..900_000],
    ) {
        let files = written(&slots, 0);
        let rows = rows_of(&slots);
        let start_ms = start * 1000 + tenths * 100;
        let end_ms = start_ms + range * 1000;
        // 0 would mean now.
        prop_assume!(end_ms != 0);
        let (want, tolerance) = naive::feed_data(&rows, start_ms as f64, end_ms as f64, dp);
        for feed in &files.feeds {
            let got = query::feed_data(feed, start_ms as f64, end_ms as f64, dp).unwrap();
            same(&got.points, &want, tolerance)?;
        }
    }
}

/// Histogram feeds need a definition; the recorded one lends its own.
mod histograms {
    use super::*;
    use std::path::Path;

    #[derive(Clone, Debug)]
    struct Bar {
        deleted: bool,
        time: Option<u32>,
        data: Option<f32>,
        data2: Option<f32>,
    }

    fn bars() -> impl Strategy<Value = Vec<Bar>> {
        let number =
            || prop::option::weighted(0.9, (-8_i8..8).prop_map(|n| f32::from(n) / 2.0));
        let bar = (
            prop::bool::weighted(0.1),
            prop::option::weighted(0.95, 0_u32..40),
            number(),
            number(),
        )
            .prop_map(|(deleted, time, data, data2)| Bar {
                deleted,
                time,
                data,
                data2,
            });
        prop::collection::vec(bar, 0..80)
    }

    fn bytes(bar: &Bar) -> [u8; 13] {
        let mut row = [0; 13];
        if !bar.deleted {
            row[0] = 0xf1
                | u8::from(bar.time.is_none()) << 1
                | u8::from(bar.data.is_none()) << 2
                | u8::from(bar.data2.is_none()) << 3;
        }
        row[1..5].copy_from_slice(&bar.time.unwrap_or(0).to_le_bytes());
        row[5..9].copy_from_slice(&bar.data.unwrap_or(0.0).to_le_bytes());
        row[9..].copy_from_slice(&bar.data2.unwrap_or(0.0).to_le_bytes());
        row
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn sums_are_what_the_definition_says(
            bars in bars(), start in -5_i64..45, span in -3_i64..50, low in -5_i8..5, width in 0_i8..6,
        ) {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("feed_1.MYD");
            let recorded = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/histogram/feed_1.frm");
            fs::copy(recorded, dir.path().join("feed_1.frm")).unwrap();
            fs::write(&path, bars.iter().flat_map(bytes).collect::<Vec<u8>>()).unwrap();
            let feed = Feed::open(&path).unwrap();

            let mut live: Vec<naive::Bar> = bars.iter()
                .filter(|bar| !bar.deleted)
                .filter_map(|bar| Some(naive::Bar {
                    time: i64::from(bar.time?),
                    data: bar.data,
                    data2: bar.data2,
                }))
                .collect();
            live.sort_by_key(|bar| bar.time);
            let end = start + span;

            let want = naive::histogram(&live, start, end);
            let got = query::histogram(&feed, start, end).unwrap();
            prop_assert_eq!(format!("{:?}", got.bins), format!("{want:?}"));

            let (min, max) = (f64::from(low), f64::from(low) + f64::from(width) / 2.0);
            let want = naive::sum_by_time(&live, min, max);
            let got = query::sum_by_time(&feed, min, max).unwrap();
            prop_assert_eq!(format!("{:?}", got.points), format!("{want:?}"));
        }
    }
}
