//! The values of constant expressions before their types are known. Integers have a sign and 128 bits.
//!
//! Invariants: zero is not negative; every operation returns `None` when its result does not fit.

use crate::schema::{Type, TypeId, Value};

/// The value of an expression before its type is known.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Evaluated {
    Integer(Integer),
    Float(f64),
    Boolean(bool),
    String(String),
    Character(char),
    Variant { id: TypeId, index: usize },
    Flags { id: TypeId, bits: u64 },
    EmptyList,
    EmptyMap,
}

impl Evaluated {
    /// What kind of value it is, for messages.
    pub(super) fn noun(&self) -> &'static str {
        match self {
            Self::Integer(_) => "an integer",
            Self::Float(_) => "a floating-point number",
            Self::Boolean(_) => "a `bool`",
            Self::String(_) => "a string",
            Self::Character(_) => "a character",
            Self::Variant { .. } => "a variant",
            Self::Flags { .. } => "flags",
            Self::EmptyList => "an empty list",
            Self::EmptyMap => "an empty map",
        }
    }
}

/// An integer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Integer {
    negative: bool,
    magnitude: u128,
}

impl Integer {
    pub(super) fn new(magnitude: u128) -> Self {
        Self { negative: false, magnitude }
    }

    fn signed(negative: bool, magnitude: u128) -> Self {
        Self { negative: negative && magnitude != 0, magnitude }
    }

    pub(super) fn negated(self) -> Self {
        Self::signed(!self.negative, self.magnitude)
    }

    pub(super) fn add(self, other: Self) -> Option<Self> {
        if self.negative == other.negative {
            return Some(Self::signed(self.negative, self.magnitude.checked_add(other.magnitude)?));
        }
        let (larger, smaller) = if self.magnitude >= other.magnitude { (self, other) } else { (other, self) };
        Some(Self::signed(larger.negative, larger.magnitude - smaller.magnitude))
    }

    pub(super) fn subtract(self, other: Self) -> Option<Self> {
        self.add(other.negated())
    }

    pub(super) fn multiply(self, other: Self) -> Option<Self> {
        Some(Self::signed(self.negative != other.negative, self.magnitude.checked_mul(other.magnitude)?))
    }

    pub(super) fn shift_left(self, by: Self) -> Option<Self> {
        let by = by.unsigned().and_then(|by| u32::try_from(by).ok())?;
        let shifted = self.magnitude.checked_shl(by)?;
        (shifted >> by == self.magnitude).then(|| Self::signed(self.negative, shifted))
    }

    pub(super) fn or(self, other: Self) -> Option<Self> {
        Some(Self::new(self.unsigned()? | other.unsigned()?))
    }

    /// The value, unless it is negative.
    pub(super) fn unsigned(self) -> Option<u128> {
        (!self.negative).then_some(self.magnitude)
    }

    /// The value if it fits the integer type; `None` if it does not, or if the type is not an integer.
    pub(super) fn fit(self, ty: &Type) -> Option<Value> {
        let (signed, bits) = width(ty)?;
        let largest = if signed { u128::MAX >> (129 - bits) } else { u128::MAX >> (128 - bits) };
        if !self.negative {
            return (self.magnitude <= largest).then_some(Value::Unsigned(self.magnitude));
        }
        let fits = signed && self.magnitude <= largest + 1;
        fits.then(|| Value::Negative(0i128.wrapping_sub_unsigned(self.magnitude)))
    }
}

/// Whether an integer type is signed, and its width in bits.
pub(super) fn width(ty: &Type) -> Option<(bool, u32)> {
    let width = match ty {
        Type::U8 => (false, 8),
        Type::U16 => (false, 16),
        Type::U32 => (false, 32),
        Type::U64 => (false, 64),
        Type::U128 => (false, 128),
        Type::I8 => (true, 8),
        Type::I16 => (true, 16),
        Type::I32 => (true, 32),
        Type::I64 => (true, 64),
        Type::I128 => (true, 128),
        _ => return None,
    };
    Some(width)
}

/// The range of an integer type, for messages.
pub(super) fn range(ty: &Type) -> String {
    match width(ty) {
        Some((false, bits @ ..=64)) => format!("must be 0 to {}", u128::MAX >> (128 - bits)),
        Some((true, bits @ ..=64)) => {
            let largest = u128::MAX >> (129 - bits);
            format!("must be -{} to {largest}", largest + 1)
        }
        _ => "out of range".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::Integer;
    use crate::schema::{Type, Value};

    #[test]
    fn arithmetic() {
        let n = Integer::new;
        assert_eq!(n(5).subtract(n(8)), Some(n(3).negated()));
        assert_eq!(n(3).negated().multiply(n(4).negated()), Some(n(12)));
        assert_eq!(n(0).negated(), n(0));
        assert_eq!(n(1).shift_left(n(127)), Some(n(1 << 127)));
        assert_eq!(n(2).shift_left(n(127)), None);
        assert_eq!(n(u128::MAX).add(n(1)), None);
        assert_eq!(n(1).negated().or(n(1)), None);
    }

    #[test]
    fn ranges() {
        let n = Integer::new;
        assert_eq!(n(255).fit(&Type::U8), Some(Value::Unsigned(255)));
        assert_eq!(n(256).fit(&Type::U8), None);
        assert_eq!(n(128).negated().fit(&Type::I8), Some(Value::Negative(-128)));
        assert_eq!(n(129).negated().fit(&Type::I8), None);
        assert_eq!(n(128).fit(&Type::I8), None);
        assert_eq!(n(1 << 127).negated().fit(&Type::I128), Some(Value::Negative(i128::MIN)));
        assert_eq!(n(u128::MAX).fit(&Type::U128), Some(Value::Unsigned(u128::MAX)));
        assert_eq!(n(1).negated().fit(&Type::U64), None);
        assert_eq!(n(1).fit(&Type::Bool), None);
    }
}
