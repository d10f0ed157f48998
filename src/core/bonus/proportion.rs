//! Products that are divided at once: the product itself may have more digits than there is room for.

use crate::core::fixed::TooLarge;

/// `part * of / total` with what is left over, exactly. `part` is not more than `total`.
pub(super) fn proportion(part: i128, of: i128, total: i128) -> Result<(i128, i128), TooLarge> {
    if let Some(product) = part.checked_mul(of) {
        let quotient = product.checked_div(total).ok_or(TooLarge)?;
        return Ok((quotient, product.checked_rem(total).ok_or(TooLarge)?));
    }
    if part < 0 || part > total || of < 0 || total >= 1 << 126 {
        return Err(TooLarge);
    }
    // Bit by bit, the highest first: what is left over stays below `total`, so nothing outgrows its place.
    let (mut quotient, mut rest) = (0i128, 0i128);
    for bit in (0..127).rev() {
        (quotient, rest) = (quotient * 2, rest * 2);
        let added = if (of >> bit) & 1 == 1 { [0, part] } else { [0, 0] };
        for more in added {
            rest += more;
            if rest >= total {
                rest -= total;
                quotient += 1;
            }
        }
    }
    Ok((quotient, rest))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_product_beyond_all_places_is_divided() {
        let most = (1 << 126) - 1;
        assert_eq!(proportion(most, i128::MAX, most), Ok((i128::MAX, 0)));
        assert_eq!(proportion(most - 1, most, most), Ok((most - 1, 0)));
        // 500 million of 800 million dong, in millionths of a millionth: 5/8 of 200 million.
        let dong = |amount: i128| amount * 1_000_000_000_000;
        let part = proportion(dong(500_000_000), dong(200_000_000), dong(800_000_000));
        assert_eq!(part, Ok((dong(125_000_000), 0)));
        let third = proportion(dong(1_000_000_000), dong(200_000_001), dong(3_000_000_000));
        assert_eq!(third, Ok((dong(200_000_001) / 3, 0)));
        assert_eq!(proportion(1, 1, 0), Err(TooLarge));
        assert_eq!(proportion(i128::MAX, 2, 1), Err(TooLarge));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        /// A common factor changes nothing but what is left over.
        #[test]
        fn it_is_what_smaller_numbers_say(part in 0i128..1 << 40, more in 0i128..1 << 40, of in 0i128..1 << 60) {
            let (total, factor) = (part + more + 1, 1i128 << 80);
            let (quotient, rest) = (part * of / total, part * of % total);
            prop_assert_eq!(proportion(part, of, total), Ok((quotient, rest)));
            prop_assert_eq!(proportion(part * factor, of, total * factor), Ok((quotient, rest * factor)));
        }
    }
}
