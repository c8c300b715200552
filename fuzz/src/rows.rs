//! A bare `.MYD`, or rows with the definition of a histogram feed, against the
//! naive answers.

use super::input::Input;
use super::naive::{Bar, Row};
use super::place::{Table, fixture};
use super::queries::{Questions, ask_both};

const BASE: i64 = 5_000;
/// More would take the naive answers too long.
const MOST: usize = 6_000;

/// The first byte tells what the bytes behind the questions are: rows, or
/// instructions for making some.
pub fn run(data: &[u8]) {
    let mut input = Input(data);
    match input.u8() % 4 {
        0 => any_bytes(&mut input),
        1 => histogram(&mut input),
        _ => made(&mut input),
    }
}

fn any_bytes(input: &mut Input) {
    let questions = Questions::new(input, BASE);
    let table = Table::new();
    table.put("MYD", input.0);
    table.settle();
    ask_both(&table.rows, &questions);
}

struct Slot {
    flag: u8,
    time: u32,
    value: f32,
}

/// Runs, gaps, rows out of place, NULLs, deleted rows, odd numbers.
fn slots(input: &mut Input) -> Vec<Slot> {
    // Settles which of the nine-byte layouts it is.
    let mut now = u32::from(input.u16());
    let mut slots = vec![Slot { flag: 0xf9, time: now, value: 1.0 }];
    while !input.is_empty() && slots.len() < MOST {
        let [kind, a, b] = [input.u8(), input.u8(), input.u8()];
        // Eighths: their sums are exact, in any order.
        let value = f32::from(b as i8) / 8.0;
        let mut push = |flag, time, value| slots.push(Slot { flag, time, value });
        match kind % 8 {
            0..=2 => {
                now = now.wrapping_add(a.into());
                push(0xf9, now, value);
            }
            3 => push([0xfd, 0xfb, 0xff, 0x00][usize::from(a % 4)], now, value),
            4 => push(0xf9, now.wrapping_sub(a.into()), value),
            5 => {
                now = match a % 4 {
                    0 => [0, 1, i32::MAX as u32, 1 << 31, u32::MAX][usize::from(b % 5)],
                    _ => now.wrapping_add(u32::from(b) * 100),
                };
                push(0xf9, now, value);
            }
            6 => {
                for i in 0..16 * u32::from(a) {
                    now = now.wrapping_add(u32::from(b % 4));
                    push(0xf9, now, (i % 64) as f32 / 8.0);
                }
            }
            _ => {
                const ODD: [f32; 6] =
                    [f32::NAN, f32::INFINITY, -0.0, 1e-45, f32::MAX, f32::MIN_POSITIVE];
                // Another NaN than the usual one.
                let payload = f32::from_bits(0xffc0_0000 | u32::from(a));
                let value = ODD.get(usize::from(b % 7)).copied().unwrap_or(payload);
                push(0xf9, now, value);
            }
        }
    }
    slots
}

fn made(input: &mut Input) {
    let questions = Questions::new(input, BASE);
    let torn = usize::from(input.u8() % 9);
    let slots = slots(input);
    let mut bytes = Vec::new();
    for slot in &slots {
        bytes.push(slot.flag);
        bytes.extend(slot.time.to_le_bytes());
        bytes.extend(slot.value.to_le_bytes());
    }
    bytes.extend(&[0xf9; 8][..torn]);
    let table = Table::new();
    table.put("MYD", &bytes);
    table.settle();
    let answers = ask_both(&table.rows, &questions).expect("whole rows are read");

    let counting = slots.iter().filter(|slot| slot.flag & 3 == 1);
    let mut rows: Vec<Row> = counting
        .map(|slot| Row {
            time: slot.time.into(),
            value: if slot.flag & 4 == 0 { slot.value.into() } else { f64::NAN },
        })
        .collect();
    assert_eq!(answers.meta.sorted, rows.is_sorted_by_key(|row| row.time));
    assert_eq!(answers.meta.slots, slots.len() as u64);
    rows.sort_by_key(|row| row.time);
    answers.expect(&rows, &questions, true);
}

fn histogram(input: &mut Input) {
    let questions = Questions::new(input, 20);
    let mut bytes = Vec::new();
    let mut bars = Vec::new();
    while !input.is_empty() && bars.len() < MOST {
        let [flags, time, data, data2] = [input.u8(), input.u8(), input.u8(), input.u8()];
        let live = flags & 1 != 0;
        // Bits of NULLs: time, data, data2.
        bytes.push(if live { 0xf1 | flags & 14 } else { 0 });
        let number = |byte: u8| f32::from(byte as i8) / 4.0;
        bytes.extend(u32::from(time).to_le_bytes());
        bytes.extend(number(data).to_le_bytes());
        bytes.extend(number(data2).to_le_bytes());
        let unless_null = |bit: u8, byte: u8| (flags & bit == 0).then(|| number(byte));
        if live && flags & 2 == 0 {
            bars.push(Bar {
                time: time.into(),
                data: unless_null(4, data),
                data2: unless_null(8, data2),
            });
        }
    }
    let table = Table::new();
    table.put("MYD", &bytes);
    table.put("frm", &fixture("histogram/feed_1.frm"));
    table.settle();
    let answers = ask_both(&table.rows, &questions).expect("whole rows are read");
    bars.sort_by_key(|bar| bar.time);
    let row =
        |bar: &Bar| Row { time: bar.time, value: bar.data.map_or(f64::NAN, f64::from) };
    answers.expect(&bars.iter().map(row).collect::<Vec<_>>(), &questions, true);
    answers.expect_bars(&bars, &questions);
}

pub fn seeds() -> Vec<Vec<u8>> {
    // Questions about all of it, then what is asked about.
    let questions = |kind: u8| {
        let mut seed = vec![kind];
        // From 2,000 seconds before the base to 8,000 behind it.
        seed.extend([0, 0x30, 0xf8, 0, 0x40, 0x1f, 60, 0, 2, 2, 0, 4]);
        for offset in 0..4_i16 {
            seed.push(0);
            seed.extend((offset * 700).to_le_bytes());
        }
        seed.extend([3, 20]);
        seed
    };
    let made = |rows: &[[u8; 3]]| {
        let mut seed = questions(2);
        seed.extend([0, 0x88, 0x13]);
        seed.extend(rows.concat());
        seed
    };
    let bytes: Vec<u8> = (0..40_u32)
        .flat_map(|i| {
            let time = (4_900 + i * 10).to_le_bytes();
            [&[0xf9][..], &time, &(i as f32).to_le_bytes()].concat()
        })
        .collect();
    let bars: Vec<u8> = (0..40).flat_map(|i| [1, i, i % 13 * 7, i % 5]).collect();
    vec![
        [&questions(0)[..], &bytes].concat(),
        [&questions(1)[..], &bars].concat(),
        made(&[]),
        made(&[[0, 10, 8], [0, 10, 16], [3, 0, 0], [3, 3, 0], [0, 10, 24]]),
        made(&[[6, 255, 1], [4, 200, 7], [6, 100, 2], [5, 1, 30], [7, 0, 0], [7, 0, 1]]),
        made(&[[6, 60, 1], [5, 0, 4], [5, 0, 0], [7, 3, 6], [6, 20, 3], [3, 1, 1]]),
    ]
}
