//! What files are to hold, computed from readings in memory, for clarity.

use emonfeed::query::Aggregate;
use std::collections::BTreeMap;

/// A reading: when, and what; NaN without value.
pub type Reading = (u32, f32);

/// The rows of PHPTimeSeries: for each time the reading that came last.
pub fn phptimeseries(readings: &[Reading]) -> Vec<u8> {
    let rows: BTreeMap<u32, f32> = readings.iter().copied().collect();
    let rows = rows.into_iter();
    rows.flat_map(|(time, value)| crate::table::row(time, plain(value))).collect()
}

/// The `.dat` and the `.meta` of PHPFina.
pub fn phpfina(
    readings: &[Reading],
    interval: u32,
    aggregate: Aggregate,
) -> (Vec<u8>, Vec<u8>) {
    let mut sorted = readings.to_vec();
    sorted.sort_by_key(|reading| reading.0);
    let mut slots: BTreeMap<u32, Vec<f32>> = BTreeMap::new();
    for (time, value) in sorted {
        slots.entry(time / interval).or_default().push(value);
    }
    let start = slots.keys().next().map_or(0, |first| first * interval);
    let value = |slot: u32| slots.get(&slot).map_or(f32::NAN, |v| one(v, aggregate));
    let data = match (slots.keys().next(), slots.keys().last()) {
        (Some(&first), Some(&last)) => {
            (first..=last).flat_map(|slot| plain(value(slot)).to_le_bytes()).collect()
        }
        _ => Vec::new(),
    };
    let meta = [0, 0, interval, start].into_iter().flat_map(u32::to_le_bytes).collect();
    (data, meta)
}

fn one(values: &[f32], aggregate: Aggregate) -> f32 {
    let there: Vec<f32> = values.iter().copied().filter(|v| !v.is_nan()).collect();
    let sum: f64 = there.iter().map(|v| f64::from(*v)).sum();
    match aggregate {
        Aggregate::First => values[0],
        Aggregate::Last => values[values.len() - 1],
        _ if there.is_empty() => f32::NAN,
        Aggregate::Min => there.iter().copied().fold(f32::INFINITY, f32::min),
        Aggregate::Max => there.iter().copied().fold(f32::NEG_INFINITY, f32::max),
        Aggregate::Sum => sum as f32,
        Aggregate::Average => (sum / there.len() as f64) as f32,
        Aggregate::Count => there.len() as f32,
    }
}

/// One NaN for all.
fn plain(value: f32) -> f32 {
    if value.is_nan() { f32::NAN } else { value }
}
