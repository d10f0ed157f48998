//! Parquet, row group by row group: only one of them is ever in memory.

use std::io::Write;
use std::sync::Arc;

use parquet::basic::{Compression, LogicalType, Repetition, TimeUnit, Type as Physical};
use parquet::data_type::{
    BoolType, ByteArray, ByteArrayType, DataType, FixedLenByteArray, FixedLenByteArrayType, Int32Type,
    Int64Type,
};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::types::Type;

use super::problem::WarehouseProblem;
use super::values::{Column, Kind, Row, width};

/// A row group ends with whatever comes first.
const ROWS: usize = 50_000;
const BYTES: usize = 32 * 1024 * 1024;

pub struct ParquetFile<W: Write + Send> {
    writer: SerializedFileWriter<W>,
    columns: Vec<Column>,
    rows: Vec<Row>,
    bytes: usize,
}

impl<W: Write + Send> ParquetFile<W> {
    pub fn new(
        out: W,
        dataset: &str,
        schema_version: i32,
        columns: Vec<Column>,
    ) -> Result<Self, WarehouseProblem> {
        let fields = columns.iter().map(field).collect::<Result<Vec<_>, _>>()?;
        let schema = Type::group_type_builder(dataset).with_fields(fields).build()?;
        let version = KeyValue::new("upline.schema_version".to_owned(), schema_version.to_string());
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .set_created_by("upline".to_owned())
            .set_key_value_metadata(Some(vec![version]))
            .build();
        let writer = SerializedFileWriter::new(out, Arc::new(schema), Arc::new(properties))?;
        Ok(Self { writer, columns, rows: vec![], bytes: 0 })
    }

    pub fn add(&mut self, row: Row) -> Result<(), WarehouseProblem> {
        self.bytes += row.iter().flatten().map(String::len).sum::<usize>();
        self.rows.push(row);
        if self.rows.len() >= ROWS || self.bytes >= BYTES { self.end_group() } else { Ok(()) }
    }

    pub fn finish(mut self) -> Result<W, WarehouseProblem> {
        if !self.rows.is_empty() {
            self.end_group()?;
        }
        Ok(self.writer.into_inner()?)
    }

    fn end_group(&mut self) -> Result<(), WarehouseProblem> {
        let mut group = self.writer.next_row_group()?;
        for (at, column) in self.columns.iter().enumerate() {
            let cells = || self.rows.iter().map(move |row| row.get(at).and_then(Option::as_deref));
            write_column(&mut group, column, cells)?;
        }
        group.close()?;
        self.rows.clear();
        self.bytes = 0;
        Ok(())
    }
}

fn field(column: &Column) -> Result<Arc<Type>, WarehouseProblem> {
    let (physical, logical) = match column.kind {
        Kind::Text => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
        Kind::Json => (Physical::BYTE_ARRAY, Some(LogicalType::Json)),
        Kind::Integer => (Physical::INT32, None),
        Kind::BigInteger => (Physical::INT64, None),
        Kind::Boolean => (Physical::BOOLEAN, None),
        Kind::Timestamp => (Physical::INT64, Some(LogicalType::timestamp(true, TimeUnit::MICROS))),
        Kind::Decimal { precision, scale } => {
            (Physical::FIXED_LEN_BYTE_ARRAY, Some(LogicalType::decimal(scale.into(), precision.into())))
        }
    };
    let builder = Type::primitive_type_builder(&column.name, physical)
        .with_repetition(Repetition::OPTIONAL)
        .with_logical_type(logical);
    let builder = match column.kind {
        Kind::Decimal { precision, scale } => builder
            .with_length(i32::try_from(width(precision)).unwrap_or(i32::MAX))
            .with_precision(precision.into())
            .with_scale(scale.into()),
        _ => builder,
    };
    Ok(Arc::new(builder.build()?))
}

fn write_column<'r, W: Write + Send, I: Iterator<Item = Option<&'r str>>>(
    group: &mut SerializedRowGroupWriter<'_, W>,
    column: &Column,
    cells: impl Fn() -> I,
) -> Result<(), WarehouseProblem> {
    let text = |value: &str| Ok(ByteArray::from(value.as_bytes().to_vec()));
    match column.kind {
        Kind::Text | Kind::Json => write_cells::<ByteArrayType, _>(group, cells, text),
        Kind::Integer => write_cells::<Int32Type, _>(group, cells, |value| column.integer(value)),
        Kind::BigInteger => write_cells::<Int64Type, _>(group, cells, |value| column.integer(value)),
        Kind::Boolean => write_cells::<BoolType, _>(group, cells, |value| column.boolean(value)),
        Kind::Timestamp => write_cells::<Int64Type, _>(group, cells, |value| column.micros(value)),
        Kind::Decimal { precision, scale } => {
            write_cells::<FixedLenByteArrayType, _>(group, cells, |value| {
                column.unscaled(value, precision, scale).map(FixedLenByteArray::from)
            })
        }
    }
}

/// Nulls are told by the definition levels; the values are those that are there.
fn write_cells<'r, T: DataType, I: Iterator<Item = Option<&'r str>>>(
    group: &mut SerializedRowGroupWriter<'_, impl Write + Send>,
    cells: impl Fn() -> I,
    value_of: impl Fn(&str) -> Result<T::T, WarehouseProblem>,
) -> Result<(), WarehouseProblem> {
    let levels: Vec<i16> = cells().map(|cell| i16::from(cell.is_some())).collect();
    let values = cells().flatten().map(value_of).collect::<Result<Vec<_>, _>>()?;
    let missing = || WarehouseProblem::Refused("a row has more cells than its file has columns".into());
    let mut writer = group.next_column()?.ok_or_else(missing)?;
    writer.typed::<T>().write_batch(&values, Some(&levels), None)?;
    writer.close()?;
    Ok(())
}
