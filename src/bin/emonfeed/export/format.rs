//! Writing rows as Parquet, as an Arrow file, or as CSV.

use arrow_array::{ArrayRef, Float32Array, Float64Array, RecordBatch};
use arrow_array::{TimestampMillisecondArray, builder::PrimitiveBuilder, types};
use arrow_ipc::CompressionType;
use arrow_ipc::writer::{FileWriter, IpcWriteOptions};
use arrow_schema::{ArrowError, DataType, Field, Schema, TimeUnit};
use clap::ValueEnum;
use emonfeed::output::decimal::{push_integer, push_number};
use emonfeed::query::Columns;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::metadata::SortingColumn;
use parquet::file::properties::WriterProperties;
use parquet::schema::types::ColumnPath;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::sync::Arc;

/// In what form rows are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Apache Parquet, which every engine reads
    Parquet,
    /// Arrow's file format (Feather, version 2)
    Arrow,
    /// Text with a header line; times are Unix seconds
    Csv,
}

/// How files are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Packing {
    /// Zstandard
    Zstd,
    /// No compression
    None,
}

/// What is written, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Form {
    pub format: Format,
    pub packing: Packing,
}

/// Of which kinds a feed's columns are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Whether values are float32, not float64.
    pub single: bool,
    /// The same of `data2`, in a histogram feed.
    pub data2: Option<bool>,
}

/// Rows of a row group of Parquet: a year of readings every half minute.
const ROW_GROUP: usize = 1 << 20;

impl Form {
    /// The name of a partition's file.
    pub fn file_name(self) -> &'static str {
        match (self.format, self.packing) {
            (Format::Parquet, _) => "part-0.parquet",
            (Format::Arrow, _) => "part-0.arrow",
            (Format::Csv, Packing::Zstd) => "part-0.csv.zst",
            (Format::Csv, Packing::None) => "part-0.csv",
        }
    }
}

impl Shape {
    pub fn of(columns: &Columns) -> Shape {
        Shape {
            single: columns.single,
            data2: columns.data2.as_ref().map(|_| columns.data2_single),
        }
    }

    fn schema(self) -> Schema {
        let float = |single| if single { DataType::Float32 } else { DataType::Float64 };
        // Parquet has no seconds.
        let time = DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into()));
        let mut fields = vec![
            Field::new("time", time, false),
            Field::new("value", float(self.single), true),
        ];
        fields.extend(self.data2.map(|single| Field::new("data2", float(single), true)));
        Schema::new(fields)
    }
}

/// A file that rows are written to.
pub enum Writer {
    Parquet(Box<ArrowWriter<File>>),
    Arrow(Box<FileWriter<BufWriter<File>>>),
    Packed(zstd::Encoder<'static, File>),
    Plain(BufWriter<File>),
}

impl Writer {
    pub fn new(file: File, form: Form, shape: Shape) -> io::Result<Writer> {
        Ok(match (form.format, form.packing) {
            (Format::Parquet, packing) => {
                let schema = Arc::new(shape.schema());
                let properties = Some(properties(packing));
                let writer = ArrowWriter::try_new(file, schema, properties);
                Writer::Parquet(Box::new(writer.map_err(parquet)?))
            }
            (Format::Arrow, packing) => {
                let packing = (packing == Packing::Zstd).then_some(CompressionType::ZSTD);
                let options = IpcWriteOptions::default().try_with_compression(packing);
                let writer = FileWriter::try_new_with_options(
                    BufWriter::new(file),
                    &shape.schema(),
                    options.map_err(arrow)?,
                );
                Writer::Arrow(Box::new(writer.map_err(arrow)?))
            }
            (Format::Csv, packing) => {
                let mut writer = match packing {
                    Packing::Zstd => Writer::Packed(zstd::Encoder::new(file, 0)?),
                    Packing::None => Writer::Plain(BufWriter::new(file)),
                };
                let names = match shape.data2 {
                    Some(_) => "time,value,data2\n",
                    None => "time,value\n",
                };
                writer.text(names.as_bytes())?;
                writer
            }
        })
    }

    /// Writes rows, which follow those written before.
    pub fn write(&mut self, columns: &Columns) -> io::Result<()> {
        match self {
            Writer::Parquet(writer) => {
                writer.write(&batch(columns).map_err(arrow)?).map_err(parquet)
            }
            Writer::Arrow(writer) => {
                writer.write(&batch(columns).map_err(arrow)?).map_err(arrow)
            }
            Writer::Packed(_) | Writer::Plain(_) => self.text(&lines(columns)),
        }
    }

    fn text(&mut self, text: &[u8]) -> io::Result<()> {
        match self {
            Writer::Packed(writer) => writer.write_all(text),
            Writer::Plain(writer) => writer.write_all(text),
            Writer::Parquet(_) | Writer::Arrow(_) => unreachable!("these hold no text"),
        }
    }

    /// Writes what comes after all rows; the file.
    pub fn finish(self) -> io::Result<File> {
        match self {
            Writer::Parquet(writer) => writer.into_inner().map_err(parquet),
            Writer::Arrow(mut writer) => {
                writer.finish().map_err(arrow)?;
                Ok(writer.into_inner().map_err(arrow)?.into_inner()?)
            }
            Writer::Packed(writer) => writer.finish(),
            Writer::Plain(writer) => Ok(writer.into_inner()?),
        }
    }
}

fn properties(packing: Packing) -> WriterProperties {
    let compression = match packing {
        Packing::Zstd => Compression::ZSTD(ZstdLevel::default()),
        Packing::None => Compression::UNCOMPRESSED,
    };
    let sorted = SortingColumn { column_idx: 0, descending: false, nulls_first: false };
    // Times go up in equal steps: their differences take next to nothing.
    let time = || ColumnPath::from("time");
    WriterProperties::builder()
        .set_created_by(format!("emonfeed {}", env!("CARGO_PKG_VERSION")))
        .set_compression(compression)
        .set_max_row_group_row_count(Some(ROW_GROUP))
        .set_sorting_columns(Some(vec![sorted]))
        .set_column_dictionary_enabled(time(), false)
        .set_column_encoding(time(), Encoding::DELTA_BINARY_PACKED)
        .build()
}

fn batch(columns: &Columns) -> Result<RecordBatch, ArrowError> {
    let shape = Shape::of(columns);
    let times = columns.times.iter().map(|time| time * 1000);
    let times = TimestampMillisecondArray::from_iter_values(times).with_timezone("UTC");
    let mut arrays: Vec<ArrayRef> =
        vec![Arc::new(times), floats(&columns.values, shape.single)];
    arrays.extend(columns.data2.as_ref().map(|d| floats(d, columns.data2_single)));
    RecordBatch::try_new(Arc::new(shape.schema()), arrays)
}

/// NaN is null.
fn floats(values: &[f64], single: bool) -> ArrayRef {
    let there = |value: &f64| (!value.is_nan()).then_some(*value);
    if single {
        let mut array =
            PrimitiveBuilder::<types::Float32Type>::with_capacity(values.len());
        // They were widened from float32.
        array.extend(values.iter().map(|value| there(value).map(|value| value as f32)));
        let array: Float32Array = array.finish();
        Arc::new(array)
    } else {
        Arc::new(values.iter().map(there).collect::<Float64Array>())
    }
}

fn lines(columns: &Columns) -> Vec<u8> {
    let mut text = Vec::with_capacity(columns.len() * 32);
    let number = |text: &mut Vec<u8>, value: f64, single| {
        text.push(b',');
        match value {
            value if value.is_finite() => push_number(text, value, single),
            f64::INFINITY => text.extend_from_slice(b"inf"),
            f64::NEG_INFINITY => text.extend_from_slice(b"-inf"),
            _ => {}
        }
    };
    for (i, (&time, &value)) in columns.times.iter().zip(&columns.values).enumerate() {
        push_integer(&mut text, time);
        number(&mut text, value, columns.single);
        if let Some(data2) = &columns.data2 {
            number(&mut text, data2[i], columns.data2_single);
        }
        text.push(b'\n');
    }
    text
}

/// What a disk had to say keeps its number.
fn parquet(error: ParquetError) -> io::Error {
    match error {
        ParquetError::External(inner) => match inner.downcast::<io::Error>() {
            Ok(error) => *error,
            Err(inner) => io::Error::other(inner),
        },
        error => io::Error::other(error),
    }
}

fn arrow(error: ArrowError) -> io::Error {
    match error {
        ArrowError::IoError(_, error) => error,
        error => io::Error::other(error),
    }
}
