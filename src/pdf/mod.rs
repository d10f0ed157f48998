//! Pages of text as a PDF: lines of Helvetica, amounts at the right edge of their column, page numbers.
//!
//! Knows nothing of money or of who reads it. The same calls give the same bytes: there is no date and no random id in
//! the file. Lengths are in twentieths of a point, whole numbers, from the lower left corner.

mod letters;
mod page;

pub use letters::{Face, width, wrap};
pub use page::{HEIGHT, Paper, WIDTH};

/// A point in the unit of this room.
pub const POINT: i16 = 20;
