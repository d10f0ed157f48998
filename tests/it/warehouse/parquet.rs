//! Parquet read with an implementation that shares nothing with the one that writes: pages, levels and dictionaries
//! are taken apart here.

use std::fs::File;
use std::path::Path;

use parquet2::encoding::Encoding;
use parquet2::encoding::hybrid_rle::HybridRleDecoder;
use parquet2::page::{DataPage, Page, split_buffer};
use parquet2::read::{decompress, get_page_iterator, read_metadata};
use parquet2::schema::types::{PhysicalType, PrimitiveLogicalType, PrimitiveType};
use rust_decimal::Decimal;

pub type Cell = Option<Vec<u8>>;

pub struct Table {
    pub types: Vec<PrimitiveType>,
    pub row_groups: usize,
    /// Column by column.
    pub columns: Vec<Vec<Cell>>,
}

pub fn read(path: &Path) -> Table {
    let mut file = File::open(path).unwrap();
    let metadata = read_metadata(&mut file).unwrap();
    let types: Vec<PrimitiveType> =
        metadata.schema_descr.columns().iter().map(|c| c.descriptor.primitive_type.clone()).collect();
    let mut columns = vec![vec![]; types.len()];
    for group in &metadata.row_groups {
        for (column, cells) in group.columns().iter().zip(&mut columns) {
            let physical = column.physical_type();
            let mut dictionary = vec![];
            for page in get_page_iterator(column, &mut file, None, vec![], 1 << 30).unwrap() {
                match decompress(page.unwrap(), &mut vec![]).unwrap() {
                    Page::Dict(page) => dictionary = plain(&page.buffer, physical, page.num_values),
                    Page::Data(page) => cells.extend(cells_of(&page, physical, &dictionary)),
                }
            }
        }
    }
    let table = Table { types, row_groups: metadata.row_groups.len(), columns };
    assert!(table.columns.iter().all(|column| column.len() == metadata.num_rows), "{}", path.display());
    table
}

fn cells_of(page: &DataPage, physical: PhysicalType, dictionary: &[Vec<u8>]) -> Vec<Cell> {
    let (_, levels, values) = split_buffer(page).unwrap();
    let levels: Vec<u32> =
        HybridRleDecoder::try_new(levels, 1, page.num_values()).unwrap().map(Result::unwrap).collect();
    let there = levels.iter().filter(|level| **level == 1).count();
    let values = match page.encoding() {
        Encoding::Plain => plain(values, physical, there),
        Encoding::RleDictionary | Encoding::PlainDictionary => {
            let indexes = HybridRleDecoder::try_new(&values[1..], u32::from(values[0]), there).unwrap();
            indexes.map(|index| dictionary[index.unwrap() as usize].clone()).collect()
        }
        other => panic!("{other:?} is read nowhere"),
    };
    let mut values = values.into_iter();
    levels.iter().map(|level| (*level == 1).then(|| values.next().unwrap())).collect()
}

fn plain(mut bytes: &[u8], physical: PhysicalType, count: usize) -> Vec<Vec<u8>> {
    let mut take = |length: usize| {
        let (value, rest) = bytes.split_at(length);
        bytes = rest;
        value.to_vec()
    };
    match physical {
        PhysicalType::Int32 => (0..count).map(|_| take(4)).collect(),
        PhysicalType::Int64 => (0..count).map(|_| take(8)).collect(),
        PhysicalType::FixedLenByteArray(length) => (0..count).map(|_| take(length)).collect(),
        PhysicalType::ByteArray => (0..count)
            .map(|_| {
                let length = u32::from_le_bytes(take(4).try_into().unwrap());
                take(length as usize)
            })
            .collect(),
        PhysicalType::Boolean => (0..count).map(|at| vec![bytes[at / 8] >> (at % 8) & 1]).collect(),
        other => panic!("{other:?} is written nowhere"),
    }
}

impl Table {
    fn at(&self, name: &str) -> usize {
        let at = self.types.iter().position(|column| column.field_info.name == name);
        at.unwrap_or_else(|| panic!("no column {name}"))
    }

    pub fn texts(&self, name: &str) -> Vec<Option<String>> {
        let at = self.at(name);
        assert_eq!(self.types[at].logical_type, Some(PrimitiveLogicalType::String), "{name}");
        let text = |cell: &Cell| cell.clone().map(|bytes| String::from_utf8(bytes).unwrap());
        self.columns[at].iter().map(text).collect()
    }

    pub fn integers(&self, name: &str) -> Vec<Option<i64>> {
        let number = |bytes: &Vec<u8>| match bytes.len() {
            4 => i64::from(i32::from_le_bytes(bytes.as_slice().try_into().unwrap())),
            _ => i64::from_le_bytes(bytes.as_slice().try_into().unwrap()),
        };
        self.columns[self.at(name)].iter().map(|cell| cell.as_ref().map(number)).collect()
    }

    /// At the scale that the file says.
    pub fn decimals(&self, name: &str) -> Vec<Option<Decimal>> {
        let at = self.at(name);
        let Some(PrimitiveLogicalType::Decimal(_, scale)) = self.types[at].logical_type else {
            panic!("{name} is no decimal: {:?}", self.types[at].logical_type)
        };
        let number = |bytes: &Vec<u8>| {
            let begin = if bytes[0] & 0x80 == 0 { 0 } else { -1 };
            let unscaled = bytes.iter().fold(begin, |sum: i128, byte| sum << 8 | i128::from(*byte));
            Decimal::from_i128_with_scale(unscaled, scale as u32)
        };
        self.columns[at].iter().map(|cell| cell.as_ref().map(number)).collect()
    }
}
