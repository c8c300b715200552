//! Random feeds, compared with what the naive reference says.

use crate::naive::{Reading, phpfina, phptimeseries};
use crate::table::{Dirs, dirs_in_memory};
use emonfeed::convert::{Convert, ConvertOptions, Converted, Engine, Plan};
use emonfeed::query::Aggregate;
use proptest::prelude::*;
use std::fs;

const AGGREGATES: [Aggregate; 6] = [
    Aggregate::First,
    Aggregate::Last,
    Aggregate::Average,
    Aggregate::Min,
    Aggregate::Max,
    Aggregate::Sum,
];

/// A slot of the file: the flag byte, and what is behind it.
type Slot = (u8, u32, f32);

const NULL_DATA: u8 = 4;
const NULL_TIME: u8 = 2;
const LIVE: u8 = 1;

fn slots(times: impl Strategy<Value = u32>) -> impl Strategy<Value = Vec<Slot>> {
    let flag = prop_oneof![
        20 => Just(0xf9_u8),
        2 => Just(0xf9 | NULL_DATA),
        1 => Just(0xf9 | NULL_TIME),
        1 => Just(0xff),
        2 => Just(0),
    ];
    let value = prop_oneof![
        20 => (-50_i16..50).prop_map(|v| f32::from(v) / 8.0),
        2 => Just(f32::NAN),
        1 => Just(f32::from_bits(0xffc0_1234)),
        1 => Just(f32::INFINITY),
        1 => Just(1.0e-40),
        1 => Just(3.0e38),
        1 => Just(-0.0),
        1 => any::<f32>(),
    ];
    prop::collection::vec((flag, times, value), 0..120)
}

fn any_slots() -> impl Strategy<Value = Vec<Slot>> {
    prop_oneof![
        slots(0_u32..400),
        slots((0_u32..60).prop_map(|i| 1_400_000_003 + 10 * i)),
        slots((0_u32..2000).prop_map(|i| u32::MAX - i)),
        slots(Just(7_u32)),
    ]
    .prop_flat_map(|slots| {
        let sorted = any::<bool>();
        sorted.prop_map(move |sorted| {
            let mut slots = slots.clone();
            if sorted {
                slots.sort_by_key(|slot| slot.1);
            }
            slots
        })
    })
}

fn readings(slots: &[Slot]) -> Vec<Reading> {
    let live = |slot: &&Slot| slot.0 & LIVE != 0 && slot.0 & NULL_TIME == 0;
    let value = |slot: &Slot| if slot.0 & NULL_DATA == 0 { slot.2 } else { f32::NAN };
    slots.iter().filter(live).map(|slot| (slot.1, value(slot))).collect()
}

fn file(slots: &[Slot]) -> Vec<u8> {
    // Tells the layout, and does not count: a deleted row of that layout, whatever
    // is behind it, does not.
    let mut bytes = vec![0xfb, 1, 0, 0, 0, 0, 0, 0, 0];
    for (flag, time, value) in slots {
        bytes.push(*flag);
        bytes.extend(time.to_le_bytes());
        bytes.extend(value.to_le_bytes());
    }
    bytes
}

fn convert(dirs: &Dirs, options: ConvertOptions) -> (Plan, Converted) {
    let convert = Convert::open(&dirs.source, &dirs.copies, options).unwrap();
    let feed = &convert.feeds()[0];
    let plan = convert.plan(feed, &mut |_| true).unwrap().unwrap();
    let converted = convert.carry_out(feed, &plan, &mut |_| true).unwrap().unwrap();
    (plan, converted)
}

fn lossy(engine: Engine) -> ConvertOptions {
    ConvertOptions { allow_loss: true, allow_sparse: true, ..ConvertOptions::to(engine) }
}

fn values(bytes: &[u8]) -> Vec<f32> {
    let values = bytes.chunks_exact(4);
    values.map(|bytes| f32::from_le_bytes(bytes.try_into().unwrap())).collect()
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: crate::effort::effort(200, 5000),
        ..ProptestConfig::default()
    })]

    #[test]
    fn rows_are_sorted_and_those_of_one_second_the_last(slots in any_slots()) {
        let dirs = dirs_in_memory();
        let before = file(&slots);
        fs::write(dirs.source.join("feed_7.MYD"), &before).unwrap();
        let (plan, converted) = convert(&dirs, lossy(Engine::PhpTimeSeries));
        let wanted = phptimeseries(&readings(&slots));
        let written = fs::read(dirs.copies.join("feed_7.MYD")).unwrap();
        prop_assert!(written == wanted);
        prop_assert_eq!(converted.compared * 9, wanted.len() as u64);
        prop_assert_eq!(&converted.plan, &plan);
        // Every row is accounted for.
        let figures = plan.figures;
        let live = readings(&slots);
        let deleted = slots.iter().filter(|slot| slot.0 & LIVE == 0).count();
        prop_assert_eq!(plan.census.deleted, deleted as u64);
        prop_assert_eq!(
            plan.census.without_time,
            (slots.len() - deleted - live.len()) as u64 + 1
        );
        prop_assert_eq!(figures.readings, live.len() as u64);
        prop_assert_eq!(
            figures.filled + figures.duplicates + figures.conflicting,
            figures.readings
        );
        prop_assert_eq!((figures.narrowed, figures.too_large), (0, 0));
        let late = (1..live.len())
            .filter(|&i| live[..i].iter().any(|earlier| earlier.0 > live[i].0))
            .count();
        prop_assert_eq!(plan.census.late, late as u64);
        prop_assert!(fs::read(dirs.source.join("feed_7.MYD")).unwrap() == before);
        prop_assert_eq!(fs::read_dir(&dirs.copies).unwrap().count(), 1);
    }

    #[test]
    fn slots_are_what_the_engine_makes_of_the_readings(
        slots in any_slots(),
        interval in prop_oneof![1_u32..20, Just(60), Just(3600), Just(86_400)],
        aggregate in 0..AGGREGATES.len(),
    ) {
        let aggregate = AGGREGATES[aggregate];
        let dirs = dirs_in_memory();
        fs::write(dirs.source.join("feed_7.MYD"), file(&slots)).unwrap();
        let options =
            ConvertOptions { interval: Some(interval), aggregate, ..lossy(Engine::PhpFina) };
        let (plan, converted) = convert(&dirs, options);
        let live = readings(&slots);
        let (data, meta) = phpfina(&live, interval, aggregate);
        prop_assert_eq!(fs::read(dirs.copies.join("7.meta")).unwrap(), meta);
        let written = fs::read(dirs.copies.join("7.dat")).unwrap();
        prop_assert_eq!(written.len(), data.len());
        for (is, wanted) in values(&written).into_iter().zip(values(&data)) {
            // What is too large for float32 is no value, and of equal zeros the
            // first counts.
            let wanted = match aggregate {
                Aggregate::Sum | Aggregate::Average if wanted.is_infinite() => {
                    prop_assert!(is.is_nan() || is == wanted);
                    continue;
                }
                _ => wanted,
            };
            let same = is.to_bits() == wanted.to_bits() || is == 0.0 && wanted == 0.0;
            prop_assert!(same, "{} is not {}", is, wanted);
        }
        prop_assert_eq!(converted.compared * 4, written.len() as u64);
        let figures = plan.figures;
        prop_assert_eq!(figures.readings, live.len() as u64);
        prop_assert_eq!(
            figures.filled + figures.duplicates + figures.conflicting + figures.joined,
            figures.readings
        );
        let moved = live.iter().filter(|reading| reading.0 % interval != 0).count();
        prop_assert_eq!(figures.moved, moved as u64);
        prop_assert_eq!(fs::read_dir(&dirs.copies).unwrap().count(), 2);
    }

    #[test]
    fn what_lies_outside_the_times_asked_for_is_left_out(
        slots in slots(0_u32..400),
        from in 0_i64..500,
        span in 0_i64..300,
        interval in 1_u32..50,
        aggregate in prop_oneof![
            Just(Aggregate::First),
            Just(Aggregate::Last),
            Just(Aggregate::Min),
            Just(Aggregate::Max),
        ],
    ) {
        let until = from + span;
        let dirs = dirs_in_memory();
        fs::write(dirs.source.join("feed_7.MYD"), file(&slots)).unwrap();
        let options = ConvertOptions {
            interval: Some(interval),
            aggregate,
            start: Some(from),
            end: Some(until),
            ..lossy(Engine::PhpFina)
        };
        let (plan, _) = convert(&dirs, options);
        let mut inside = readings(&slots);
        let all = inside.len();
        inside.retain(|reading| (from..=until).contains(&i64::from(reading.0)));
        let (data, meta) = phpfina(&inside, interval, aggregate);
        prop_assert_eq!(fs::read(dirs.copies.join("7.meta")).unwrap(), meta);
        let written = fs::read(dirs.copies.join("7.dat")).unwrap();
        prop_assert!(written.len() == data.len());
        for (is, wanted) in values(&written).into_iter().zip(values(&data)) {
            let same = is.to_bits() == wanted.to_bits() || is == 0.0 && wanted == 0.0;
            prop_assert!(same, "{} is not {}", is, wanted);
        }
        prop_assert_eq!(plan.outside(), (all - inside.len()) as u64);
    }
}
