//! A small line plot in the terminal, made of braille dots.

use crate::table::Digits;
use crate::time;
use emonfeed::output::decimal::push_number;
use emonfeed::query::{Point, Series};
use jiff::tz::TimeZone;

/// Lines of text the plot is high, without the axis.
const HEIGHT: usize = 8;
/// Dots in one braille character.
const DOTS_ACROSS: usize = 2;
const DOTS_DOWN: usize = 4;

/// A plot that is fed point by point and keeps no more than its columns.
pub struct Plot {
    start: i64,
    end: i64,
    /// A longer time without points is a gap in the line.
    reach: i64,
    /// Lowest and highest value the line has in each column of dots.
    columns: Vec<Option<(f64, f64)>>,
    /// The point before, if the line may go on from it.
    previous: Option<Point>,
    digits: Digits,
    single: bool,
}

/// Columns of text the plot may take: the terminal's, or 80 in a pipe.
pub fn terminal_width() -> usize {
    terminal_size::terminal_size().map_or(80, |(width, _)| usize::from(width.0))
}

impl Plot {
    /// An empty plot of `[start, end]`, `width` characters of text wide with
    /// its labels, which show `digits`.
    pub fn new(start: i64, end: i64, reach: i64, digits: Digits, width: usize) -> Plot {
        let characters = width.saturating_sub(LABEL + 2).clamp(10, 200);
        Plot {
            start,
            end,
            reach,
            columns: vec![None; characters * DOTS_ACROSS],
            previous: None,
            digits,
            single: true,
        }
    }

    /// Draws the line on through the points of `series`.
    pub fn add(&mut self, series: &Series) {
        self.single &= series.single;
        for &point in &series.points {
            if !point.value.is_finite() {
                self.previous = None;
                continue;
            }
            match self.previous {
                Some(previous) if point.time - previous.time <= self.reach => {
                    self.line(previous, point);
                }
                _ => self.dot(self.across(point.time), point.value),
            }
            self.previous = Some(point);
        }
    }

    /// Where `time` is, in columns of dots.
    fn across(&self, time: i64) -> f64 {
        let range = (self.end - self.start).max(1) as f64;
        (time - self.start) as f64 / range * (self.columns.len() - 1) as f64 + 0.5
    }

    fn dot(&mut self, across: f64, value: f64) {
        // Out of range only for a point outside the asked time.
        if across < 0.0 || across >= self.columns.len() as f64 {
            return;
        }
        let column = &mut self.columns[across as usize];
        let (low, high) = column.unwrap_or((value, value));
        *column = Some((low.min(value), high.max(value)));
    }

    /// The straight line between two points, with its part of each column.
    fn line(&mut self, from: Point, to: Point) {
        let (left, right) = (self.across(from.time), self.across(to.time));
        self.dot(left, from.value);
        self.dot(right, to.value);
        let first = left.max(0.0) as usize + 1;
        let last = (right.max(0.0) as usize).min(self.columns.len() - 1);
        for border in first..=last {
            let part = (border as f64 - left) / (right - left);
            // Kept between the two, whatever rounding does.
            let value = (from.value * (1.0 - part) + to.value * part)
                .clamp(from.value.min(to.value), from.value.max(to.value));
            self.dot(border as f64 - 0.5, value);
            self.dot(border as f64, value);
        }
    }

    /// The plot as lines of text.
    pub fn draw(&self, zone: &TimeZone) -> String {
        let spans = self.columns.iter().flatten();
        let low = spans.clone().map(|span| span.0).fold(f64::INFINITY, f64::min);
        let high = spans.map(|span| span.1).fold(f64::NEG_INFINITY, f64::max);
        if low > high {
            return "(nothing to plot)\n".to_owned();
        }
        let rows = HEIGHT * DOTS_DOWN;
        // Halves, so that the range of a double does not overflow.
        let range = high / 2.0 - low / 2.0;
        let down = |value: f64| {
            if range == 0.0 {
                return rows / 2;
            }
            let from_top = (high / 2.0 - value / 2.0) / range;
            (from_top * (rows - 1) as f64).round() as usize
        };
        let characters = self.columns.len() / DOTS_ACROSS;
        let mut cells = vec![0_u8; characters * HEIGHT];
        for (x, column) in self.columns.iter().enumerate() {
            let Some((low, high)) = *column else { continue };
            for y in down(high)..=down(low) {
                cells[y / DOTS_DOWN * characters + x / DOTS_ACROSS] |=
                    braille_bit(x % DOTS_ACROSS, y % DOTS_DOWN);
            }
        }
        let mut text = String::new();
        for (y, line) in cells.chunks(characters).enumerate() {
            let label = match y {
                _ if range == 0.0 && y == HEIGHT / 2 => self.label(high),
                _ if range == 0.0 => String::new(),
                0 => self.label(high),
                _ if y == HEIGHT - 1 => self.label(low),
                _ => String::new(),
            };
            let line: String = line.iter().map(|&dots| braille(dots)).collect();
            text.push_str(&format!("{label:>LABEL$} ┤{}\n", line.trim_end()));
        }
        let (start, end) =
            (time::show_short(self.start, zone), time::show_short(self.end, zone));
        text.push_str(&format!("{:LABEL$} └{}\n", "", "─".repeat(characters)));
        let room = characters.saturating_sub(start.len()).max(end.len() + 1);
        text.push_str(&format!("{:LABEL$}  {start}{end:>room$}\n", ""));
        text
    }

    fn label(&self, value: f64) -> String {
        let mut out = Vec::new();
        push_number(&mut out, self.digits.keep(value, self.single), self.single);
        String::from_utf8_lossy(&out).into_owned()
    }
}

/// Width of the labels left of the axis.
const LABEL: usize = 12;

/// The dot at column `x` (0–1) and row `y` (0–3) of a braille character: the
/// upper three rows are numbered down each column, the last row came later.
fn braille_bit(x: usize, y: usize) -> u8 {
    if y < 3 { 1 << (x * 3 + y) } else { 1 << (6 + x) }
}

fn braille(dots: u8) -> char {
    // No dots: a plain space, which can be left out at the end of a line.
    if dots == 0 {
        return ' ';
    }
    char::from_u32(0x2800 + u32::from(dots)).unwrap_or(' ')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(points: &[(i64, f64)]) -> Series {
        let points = points.iter().map(|&(time, value)| Point { time, value }).collect();
        Series { points, single: false }
    }

    /// The dots of the plot's lines, as rows of booleans.
    fn dots(text: &str) -> Vec<Vec<bool>> {
        let mut dots = Vec::new();
        for line in text.lines().take(HEIGHT) {
            let cells: Vec<u32> = line
                .chars()
                .skip(LABEL + 2)
                .map(|c| if c == ' ' { 0 } else { c as u32 - 0x2800 })
                .collect();
            for y in 0..DOTS_DOWN {
                let row = cells.iter().flat_map(|cell| {
                    (0..DOTS_ACROSS)
                        .map(move |x| cell & u32::from(braille_bit(x, y)) != 0)
                });
                dots.push(row.collect());
            }
        }
        dots
    }

    fn column(dots: &[Vec<bool>], x: usize) -> Vec<usize> {
        (0..dots.len()).filter(|&y| dots[y].get(x) == Some(&true)).collect()
    }

    #[test]
    fn a_rising_line_is_joined() {
        let mut plot = Plot::new(0, 100, 1000, Digits::All, LABEL + 2 + 20);
        plot.add(&series(&[(0, 0.0), (100, 50.0)]));
        let text = plot.draw(&TimeZone::UTC);
        let dots = dots(&text);
        assert_eq!(column(&dots, 0).last(), Some(&31));
        assert_eq!(column(&dots, 39).first(), Some(&0));
        for x in 1..40 {
            let (left, right) = (column(&dots, x - 1), column(&dots, x));
            assert!(!right.is_empty(), "column {x} is empty:\n{text}");
            assert!(
                left[0] <= right[right.len() - 1] + 1 && right[0] <= left[0],
                "torn at {x}:\n{text}"
            );
        }
        assert!(text.starts_with("          50 ┤"), "{text}");
        assert!(text.lines().nth(HEIGHT - 1).unwrap().starts_with("           0 ┤"));
        assert!(text.contains("1970-01-01 00:00"));
    }

    #[test]
    fn gaps_stay_empty() {
        // Missing values and long silences: 40 columns of dots, one per second.
        let mut plot = Plot::new(0, 39, 2, Digits::All, LABEL + 2 + 20);
        plot.add(&series(&[(0, 1.0), (1, 1.0), (2, f64::NAN), (3, 2.0)]));
        plot.add(&series(&[(4, 2.0), (20, 2.0), (21, 1.0)]));
        let dots = dots(&plot.draw(&TimeZone::UTC));
        let filled: Vec<usize> =
            (0..40).filter(|&x| !column(&dots, x).is_empty()).collect();
        assert_eq!(filled, [0, 1, 3, 4, 20, 21]);
    }

    #[test]
    fn a_line_goes_on_between_pieces() {
        let mut plot = Plot::new(0, 39, 100, Digits::All, LABEL + 2 + 20);
        plot.add(&series(&[(0, 1.0)]));
        plot.add(&series(&[(39, 2.0)]));
        let dots = dots(&plot.draw(&TimeZone::UTC));
        assert!((0..40).all(|x| !column(&dots, x).is_empty()));
    }

    #[test]
    fn odd_input() {
        let zone = TimeZone::UTC;
        let mut flat = Plot::new(0, 10, 100, Digits::All, 80);
        flat.add(&series(&[(0, 7.0), (10, 7.0)]));
        let text = flat.draw(&zone);
        // In the middle, with one label.
        assert_eq!(column(&dots(&text), 20), [HEIGHT * DOTS_DOWN / 2]);
        assert_eq!(text.matches(" 7 ┤").count(), 1, "{text}");

        let mut one = Plot::new(5, 5, 1, Digits::All, 80);
        one.add(&series(&[(5, 7.0)]));
        assert!(one.draw(&zone).contains('⠁') || one.draw(&zone).contains('⠐'));

        let mut huge = Plot::new(0, 10, 100, Digits::All, 80);
        huge.add(&series(&[(0, f64::MAX), (10, -f64::MAX), (11, 0.0), (-50, 0.0)]));
        assert!(huge.draw(&zone).contains("1.7976931348623157e+308"));

        let mut nothing = Plot::new(0, 10, 100, Digits::All, 80);
        nothing.add(&series(&[(0, f64::NAN), (3, f64::INFINITY)]));
        assert_eq!(nothing.draw(&zone), "(nothing to plot)\n");
        assert!(!Plot::new(0, 10, 1, Digits::All, 0).columns.is_empty());
    }
}
