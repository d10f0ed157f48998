//! The two sides of a position, and what each has of the same thing.

/// Sides of a position in the placement tree that are more than these two are no binary's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Left,
    Right,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Sides<T> {
    pub left: T,
    pub right: T,
}

impl Side {
    pub const BOTH: [Self; 2] = [Self::Left, Self::Right];

    pub fn of(number: u16) -> Option<Self> {
        match number {
            0 => Some(Self::Left),
            1 => Some(Self::Right),
            _ => None,
        }
    }

    pub fn number(self) -> u16 {
        match self {
            Self::Left => 0,
            Self::Right => 1,
        }
    }

    pub fn other(self) -> Self {
        match self {
            Self::Left => Self::Right,
            Self::Right => Self::Left,
        }
    }
}

impl<T> Sides<T> {
    pub fn get(&self, side: Side) -> &T {
        match side {
            Side::Left => &self.left,
            Side::Right => &self.right,
        }
    }

    pub fn get_mut(&mut self, side: Side) -> &mut T {
        match side {
            Side::Left => &mut self.left,
            Side::Right => &mut self.right,
        }
    }

    pub fn try_map<U, E>(self, mut of: impl FnMut(Side, T) -> Result<U, E>) -> Result<Sides<U>, E> {
        Ok(Sides { left: of(Side::Left, self.left)?, right: of(Side::Right, self.right)? })
    }
}
