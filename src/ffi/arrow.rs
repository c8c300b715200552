//! Rows as an Arrow C stream. The structs are those of Arrow's C data interface and
//! C stream interface (<https://arrow.apache.org/docs/format/CDataInterface.html>,
//! `CStreamInterface.html`), a stable ABI that needs no library. Rows become
//! columns batch by batch; the consumer borrows a batch's memory until it
//! releases the batch.

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::mem;
use std::ptr;

use super::boundary::{infallible, owned, taken};
use super::error::{emonfeed_error, emonfeed_status};
use super::feed::emonfeed_feed;
use crate::error::{Error, Result, Status};
use crate::feed::Feed;
use crate::query::{self, Columns, Position};

const DEFAULT_BATCH: u64 = 1 << 16;
/// `ARROW_FLAG_NULLABLE`.
const NULLABLE: i64 = 2;

/// What a column is called and holds.
#[repr(C)]
pub struct ArrowSchema {
    format: *const c_char,
    name: *const c_char,
    metadata: *const c_char,
    flags: i64,
    n_children: i64,
    children: *mut *mut ArrowSchema,
    dictionary: *mut ArrowSchema,
    release: Option<unsafe extern "C" fn(*mut ArrowSchema)>,
    private_data: *mut c_void,
}

/// A column of one batch, or the batch: a column of columns.
#[repr(C)]
pub struct ArrowArray {
    length: i64,
    null_count: i64,
    offset: i64,
    n_buffers: i64,
    n_children: i64,
    buffers: *mut *const c_void,
    children: *mut *mut ArrowArray,
    dictionary: *mut ArrowArray,
    release: Option<unsafe extern "C" fn(*mut ArrowArray)>,
    private_data: *mut c_void,
}

/// Batches, one after the other.
#[repr(C)]
pub struct ArrowArrayStream {
    get_schema:
        Option<unsafe extern "C" fn(*mut ArrowArrayStream, *mut ArrowSchema) -> c_int>,
    get_next:
        Option<unsafe extern "C" fn(*mut ArrowArrayStream, *mut ArrowArray) -> c_int>,
    get_last_error: Option<unsafe extern "C" fn(*mut ArrowArrayStream) -> *const c_char>,
    release: Option<unsafe extern "C" fn(*mut ArrowArrayStream)>,
    private_data: *mut c_void,
}

/// All rows with `start <= time <= end` as an Arrow C stream, for engines and
/// languages that take one (DuckDB, pyarrow, Polars, R, …). They read the feed
/// without a copy of it on the disk, and this library need not know them.
///
/// `start` and `end` are Unix seconds. `batch` is the greatest number of rows
/// in one batch; 0 means 65536. No more than one batch is copied at a time.
///
/// `*out` is a `struct ArrowArrayStream` of the caller, as Arrow's C stream
/// interface defines it; its old contents are overwritten. The stream's columns
/// are `time` (timestamp of seconds, UTC, never null) and `value` (float32, or
/// float64 if the column is not FLOAT; null where the row has none), and for a
/// histogram feed also `data2`. Rows ascend in time; rows with the same time
/// are in file order. The caller ends the stream with its `release`, and may
/// free the feed before that.
///
/// Each batch is read from the rows as they are at that moment, so it includes
/// rows appended meanwhile. If `get_next` fails it returns an `errno` (`ENOMEM`
/// or `EIO`), and `get_last_error` says what is wrong. It fails, for example,
/// if the feed was cleared or the table's columns changed. One thread at a time
/// may use a stream.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn emonfeed_feed_arrow(
    feed: *const emonfeed_feed,
    start: i64,
    end: i64,
    batch: u64,
    out: *mut ArrowArrayStream,
    error: *mut *mut emonfeed_error,
) -> emonfeed_status {
    fallible!(emonfeed_feed_arrow, out, error, || {
        let feed = required!(feed);
        let stream = Stream::new(&feed.0, start, end, batch)?;
        Ok(ArrowArrayStream {
            get_schema: Some(get_schema),
            get_next: Some(get_next),
            get_last_error: Some(get_last_error),
            release: Some(release_stream),
            private_data: owned(stream).cast(),
        })
    })
}

/// What kinds of columns there are.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Shape {
    /// Whether values are float32.
    single: bool,
    /// The same of `data2`, if there is one.
    data2: Option<bool>,
}

impl Shape {
    fn of(columns: &Columns) -> Shape {
        Shape {
            single: columns.single,
            data2: columns.data2.as_ref().map(|_| columns.data2_single),
        }
    }

    fn schema(self) -> ArrowSchema {
        let float = |single| if single { c"f" } else { c"g" };
        let mut children = vec![
            column_schema(c"tss:UTC", c"time", 0),
            column_schema(float(self.single), c"value", NULLABLE),
        ];
        if let Some(single) = self.data2 {
            children.push(column_schema(float(single), c"data2", NULLABLE));
        }
        let n_children = children.len() as i64;
        let children = owned(Children::new(children));
        ArrowSchema {
            n_children,
            // SAFETY: it was made just now; only the address of what is in it is taken.
            children: unsafe { (*children).0.as_ptr() }.cast_mut(),
            private_data: children.cast(),
            ..column_schema(c"+s", c"", 0)
        }
    }
}

fn column_schema(format: &'static CStr, name: &'static CStr, flags: i64) -> ArrowSchema {
    ArrowSchema {
        format: format.as_ptr(),
        name: name.as_ptr(),
        metadata: ptr::null(),
        flags,
        n_children: 0,
        children: ptr::null_mut(),
        dictionary: ptr::null_mut(),
        release: Some(release_schema),
        private_data: ptr::null_mut(),
    }
}

/// The structs of columns. They belong to the one of the whole, but a consumer may
/// take out what is in them.
struct Children<T>(Box<[*mut T]>);

impl<T> Children<T> {
    fn new(children: Vec<T>) -> Children<T> {
        Children(children.into_iter().map(owned).collect())
    }

    /// Takes them back.
    ///
    /// # Safety
    /// They must not be used any more.
    unsafe fn take(self) -> impl Iterator<Item = Box<T>> {
        // SAFETY: they were made by `new`, and the caller's promise.
        self.0.into_iter().filter_map(|child| unsafe { taken(child) })
    }
}

/// The memory of one column.
struct Column {
    buffers: [*const c_void; 2],
    _valid: Option<Vec<u8>>,
    _values: Values,
}

enum Values {
    Times(Vec<i64>),
    Singles(Vec<f32>),
    Doubles(Vec<f64>),
}

impl Values {
    fn of(values: Vec<f64>, single: bool) -> Result<Values> {
        if !single {
            return Ok(Values::Doubles(values));
        }
        let mut singles: Vec<f32> = query::room_for(values.len() as u64)?;
        // They were widened from float32.
        singles.extend(values.into_iter().map(|value| value as f32));
        Ok(Values::Singles(singles))
    }

    fn as_ptr(&self) -> *const c_void {
        match self {
            Values::Times(times) => times.as_ptr().cast(),
            Values::Singles(values) => values.as_ptr().cast(),
            Values::Doubles(values) => values.as_ptr().cast(),
        }
    }
}

/// A column's values, the bits of which are there, and how many are not.
type Floats = (Values, (Option<Vec<u8>>, i64));

/// One bit for each value that is there, and how many are not; `None` if all are.
fn valid(values: &[f64]) -> Result<(Option<Vec<u8>>, i64)> {
    let missing = values.iter().filter(|value| value.is_nan()).count();
    if missing == 0 {
        return Ok((None, 0));
    }
    let eights = values.chunks(8);
    let mut bits: Vec<u8> = query::room_for(eights.len() as u64)?;
    bits.extend(eights.map(|eight| {
        let bit = |(i, value): (usize, &f64)| u8::from(!value.is_nan()) << i;
        eight.iter().enumerate().map(bit).sum::<u8>()
    }));
    Ok((Some(bits), missing as i64))
}

fn column(values: Values, length: usize, valid: (Option<Vec<u8>>, i64)) -> ArrowArray {
    let (valid, null_count) = valid;
    let bits = valid.as_ref().map_or(ptr::null(), |bits| bits.as_ptr().cast());
    let memory = owned(Column {
        buffers: [bits, values.as_ptr()],
        _valid: valid,
        _values: values,
    });
    ArrowArray {
        length: length as i64,
        null_count,
        n_buffers: 2,
        // SAFETY: it was made just now; only its address is taken.
        buffers: unsafe { &raw mut (*memory).buffers }.cast(),
        private_data: memory.cast(),
        release: Some(release_column),
        ..ArrowArray::nothing()
    }
}

impl ArrowArray {
    /// What says that there are no more batches.
    fn nothing() -> ArrowArray {
        ArrowArray {
            length: 0,
            null_count: 0,
            offset: 0,
            n_buffers: 0,
            n_children: 0,
            buffers: ptr::null_mut(),
            children: ptr::null_mut(),
            dictionary: ptr::null_mut(),
            release: None,
            private_data: ptr::null_mut(),
        }
    }
}

/// A batch has one buffer, which says which of its rows are null: none.
struct Whole {
    no_nulls: [*const c_void; 1],
    columns: Children<ArrowArray>,
}

fn batch(columns: Columns) -> Result<ArrowArray> {
    let Columns { times, values, single, data2, data2_single } = columns;
    let length = times.len();
    let float = |values: Vec<f64>, single| -> Result<Floats> {
        let valid = valid(&values)?;
        Ok((Values::of(values, single)?, valid))
    };
    // All that may fail comes first: what is given away is not lost then.
    let values = float(values, single)?;
    let data2 = data2.map(|data2| float(data2, data2_single)).transpose()?;
    let mut children = vec![column(Values::Times(times), length, (None, 0))];
    children.extend(
        [Some(values), data2]
            .into_iter()
            .flatten()
            .map(|(values, valid)| column(values, length, valid)),
    );
    let n_children = children.len() as i64;
    let whole =
        owned(Whole { no_nulls: [ptr::null()], columns: Children::new(children) });
    Ok(ArrowArray {
        length: length as i64,
        n_buffers: 1,
        n_children,
        // SAFETY: it was made just now; only addresses are taken.
        buffers: unsafe { &raw mut (*whole).no_nulls }.cast(),
        // SAFETY: the same.
        children: unsafe { (*whole).columns.0.as_ptr() }.cast_mut(),
        private_data: whole.cast(),
        release: Some(release_batch),
        ..ArrowArray::nothing()
    })
}

/// A reading of rows that goes on from batch to batch.
struct Stream {
    feed: Feed,
    shape: Shape,
    next: Position,
    end: i64,
    batch: u64,
    is_done: bool,
    /// What went wrong last.
    failure: Option<(c_int, CString)>,
}

impl Stream {
    fn new(feed: &Feed, start: i64, end: i64, batch: u64) -> Result<Stream> {
        let next = Position::at(start);
        // No row has such a time.
        let (none, _) = query::columns_from(feed, Position::at(i64::MIN), i64::MIN, 1)?;
        Ok(Stream {
            feed: feed.clone(),
            shape: Shape::of(&none),
            next,
            end,
            batch: if batch == 0 { DEFAULT_BATCH } else { batch },
            is_done: false,
            failure: None,
        })
    }

    fn next(&mut self) -> Result<Option<Columns>> {
        if self.is_done {
            return Ok(None);
        }
        let (columns, behind) =
            query::columns_from(&self.feed, self.next, self.end, self.batch)?;
        if Shape::of(&columns) != self.shape {
            let what = "the table's columns are others than when the stream was begun";
            return Err(Error::new(Status::Changed, what).at(self.feed.path()));
        }
        self.next = behind;
        self.is_done = (columns.len() as u64) < self.batch;
        Ok((!columns.is_empty()).then_some(columns))
    }

    fn fail(&mut self, error: &Error) -> c_int {
        let code = match error.status() {
            Status::Memory => libc::ENOMEM,
            _ => libc::EIO,
        };
        let text = error.to_string().replace('\0', " ");
        self.failure = Some((code, CString::new(text).unwrap_or_default()));
        code
    }
}

/// The stream behind the struct a consumer calls with.
///
/// # Safety
/// `stream` must be one of [`emonfeed_feed_arrow`] that was not released, and be
/// used by nobody else.
unsafe fn stream_of<'a>(stream: *mut ArrowArrayStream) -> Option<&'a mut Stream> {
    // SAFETY: the caller's promise; `private_data` is what that function made.
    unsafe { stream.as_mut()?.private_data.cast::<Stream>().as_mut() }
}

unsafe extern "C" fn get_schema(
    stream: *mut ArrowArrayStream,
    out: *mut ArrowSchema,
) -> c_int {
    infallible(libc::EIO, || {
        // SAFETY: Arrow demands of every consumer that it calls with a stream of its
        // own, which was not released.
        let Some(stream) = (unsafe { stream_of(stream) }) else { return libc::EINVAL };
        // SAFETY: and with memory for the answer, in which there is nothing yet.
        unsafe { out.write(stream.shape.schema()) };
        0
    })
}

unsafe extern "C" fn get_next(
    stream: *mut ArrowArrayStream,
    out: *mut ArrowArray,
) -> c_int {
    infallible(libc::EIO, || {
        // SAFETY: as in `get_schema`.
        let Some(stream) = (unsafe { stream_of(stream) }) else { return libc::EINVAL };
        if let Some((code, _)) = stream.failure {
            return code;
        }
        let next = stream.next().and_then(|columns| columns.map(batch).transpose());
        let next = match next {
            Ok(next) => next.unwrap_or_else(ArrowArray::nothing),
            Err(error) => return stream.fail(&error),
        };
        // SAFETY: as in `get_schema`.
        unsafe { out.write(next) };
        0
    })
}

unsafe extern "C" fn get_last_error(stream: *mut ArrowArrayStream) -> *const c_char {
    infallible(ptr::null(), || {
        // SAFETY: as in `get_schema`; the text stays until the stream is released.
        let stream = unsafe { stream_of(stream) };
        let failure = stream.and_then(|stream| stream.failure.as_ref());
        failure.map_or(ptr::null(), |(_, text)| text.as_ptr())
    })
}

unsafe extern "C" fn release_stream(stream: *mut ArrowArrayStream) {
    infallible((), || {
        // SAFETY: as in `get_schema`; this is the last that is done with it.
        let Some(stream) = (unsafe { stream.as_mut() }) else { return };
        let private_data = mem::replace(&mut stream.private_data, ptr::null_mut());
        stream.release = None;
        // SAFETY: it was made for this stream, and is forgotten now.
        drop(unsafe { taken(private_data.cast::<Stream>()) });
    })
}

unsafe extern "C" fn release_schema(schema: *mut ArrowSchema) {
    infallible((), || {
        // SAFETY: Arrow demands that it is one of those made here, and that this is
        // the last that is done with it.
        let Some(schema) = (unsafe { schema.as_mut() }) else { return };
        schema.release = None;
        let private_data = mem::replace(&mut schema.private_data, ptr::null_mut());
        // SAFETY: only that of the whole has any, and it is forgotten now.
        let children = unsafe { taken(private_data.cast::<Children<ArrowSchema>>()) };
        // SAFETY: nobody may use them any more.
        for mut child in children.into_iter().flat_map(|c| unsafe { c.take() }) {
            if let Some(release) = child.release {
                // SAFETY: nobody has taken it out.
                unsafe { release(&mut *child) };
            }
        }
    })
}

unsafe extern "C" fn release_column(array: *mut ArrowArray) {
    infallible((), || {
        // SAFETY: as in `release_schema`.
        let Some(array) = (unsafe { array.as_mut() }) else { return };
        array.release = None;
        let private_data = mem::replace(&mut array.private_data, ptr::null_mut());
        // SAFETY: it was made for this column, and is forgotten now.
        drop(unsafe { taken(private_data.cast::<Column>()) });
    })
}

unsafe extern "C" fn release_batch(array: *mut ArrowArray) {
    infallible((), || {
        // SAFETY: as in `release_schema`.
        let Some(array) = (unsafe { array.as_mut() }) else { return };
        array.release = None;
        let private_data = mem::replace(&mut array.private_data, ptr::null_mut());
        // SAFETY: it was made for this batch, and is forgotten now.
        let whole = unsafe { taken(private_data.cast::<Whole>()) };
        // SAFETY: nobody may use them any more.
        for mut child in whole.into_iter().flat_map(|w| unsafe { w.columns.take() }) {
            if let Some(release) = child.release {
                // SAFETY: nobody has taken it out.
                unsafe { release(&mut *child) };
            }
        }
    })
}
