//! Decimal numbers, exactly and without floating point.

/// Digits that are kept; a nanosecond of any sensible duration needs fewer.
const DIGITS: u32 = 20;

/// A number that is not negative: `digits × 10^exponent`, and a trace more if digits were cut off.
#[derive(Clone, Copy)]
pub(super) struct Decimal {
    digits: u128,
    exponent: i32,
    cut: bool,
}

impl Decimal {
    /// The number at the beginning of the text (`12`, `1.5`, `.5`; no sign, no exponent), and what follows.
    pub(super) fn scan(text: &str) -> Option<(Self, &str)> {
        let whole = digits_at(text);
        let fraction = text[whole.len()..].strip_prefix('.').map_or("", digits_at);
        let point = usize::from(!fraction.is_empty());
        if whole.is_empty() && fraction.is_empty() {
            return None;
        }
        let mut number = Self { digits: 0, exponent: 0, cut: false };
        for digit in whole.bytes() {
            if !number.push(digit) {
                number.exponent = number.exponent.saturating_add(1);
            }
        }
        for digit in fraction.bytes() {
            if number.push(digit) {
                number.exponent = number.exponent.saturating_sub(1);
            }
        }
        Some((number, &text[whole.len() + point + fraction.len()..]))
    }

    /// The whole text as a number, as JSON has them (an exponent is allowed), with blanks around.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (mut number, rest) = Self::scan(text.trim())?;
        if !rest.is_empty() {
            let exponent = rest.strip_prefix(['e', 'E'])?;
            let (sign, digits) = match exponent.strip_prefix('-') {
                Some(digits) => (-1, digits),
                None => (1, exponent.strip_prefix('+').unwrap_or(exponent)),
            };
            if digits.is_empty() || digits_at(digits).len() != digits.len() {
                return None;
            }
            // Out of range means that there are more digits than any exponent of use has.
            let exponent = digits.parse::<i32>().unwrap_or(i32::MAX);
            number.exponent = number.exponent.saturating_add(sign * exponent);
        }
        Some(number)
    }

    /// The number times so many nanoseconds, rounded up; `None` above 584 years.
    pub(super) fn nanos(self, unit: u64) -> Option<u64> {
        if self.digits == 0 {
            return Some(0);
        }
        // 20 digits times the nanoseconds of a day stay below 2^128.
        let nanos = self.digits * u128::from(unit);
        let shift = 10u128.checked_pow(self.exponent.unsigned_abs());
        let nanos = match (shift, self.exponent.is_negative()) {
            (Some(shift), false) => nanos.checked_mul(shift)?,
            (Some(shift), true) => nanos.div_ceil(shift),
            (None, false) => return None,
            (None, true) => 1,
        };
        u64::try_from(nanos.saturating_add(u128::from(self.cut))).ok()
    }

    /// Takes one more digit, or notes that it was cut off.
    fn push(&mut self, digit: u8) -> bool {
        if self.digits >= 10u128.pow(DIGITS - 1) {
            self.cut |= digit != b'0';
            return false;
        }
        self.digits = self.digits * 10 + u128::from(digit - b'0');
        true
    }
}

fn digits_at(text: &str) -> &str {
    let end = text.bytes().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    &text[..end]
}
