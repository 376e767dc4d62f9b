//! The order of SRV records: by priority, and among equals by weight (RFC 2782).

/// An SRV record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Service<T> {
    pub(super) priority: u16,
    pub(super) weight: u16,
    pub(super) port: u16,
    pub(super) target: T,
}

/// Sorts by priority, and among equals the heaviest first; what is equal in both keeps its order.
pub(super) fn heaviest_first<T>(services: &mut [Service<T>]) {
    services.sort_by_key(|service| (service.priority, u16::MAX - service.weight));
}

/// Sorts by priority, and among equals at random so that each comes first in proportion to its
/// weight. `random` gives a number from 0 to one less than it is given.
pub(super) fn weighted<T>(services: &mut [Service<T>], mut random: impl FnMut(u64) -> u64) {
    services.sort_by_key(|service| (service.priority, service.weight));
    for first in 0..services.len() {
        let priority = services[first].priority;
        let equals = services[first..]
            .iter()
            .take_while(|service| service.priority == priority);
        let total: u64 = equals
            .clone()
            .map(|service| u64::from(service.weight))
            .sum();
        let mut left = random(total + 1);
        let chosen = equals.clone().position(|service| {
            let weight = u64::from(service.weight);
            let found = left <= weight;
            left = left.saturating_sub(weight);
            found
        });
        // The rest keeps its order, in which weight 0 comes first as RFC 2782 asks.
        services[first..=first + chosen.unwrap_or(0)].rotate_right(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn services() -> Vec<Service<char>> {
        [(20, 9, 'd'), (10, 1, 'a'), (10, 3, 'b'), (10, 0, 'c')]
            .map(|(priority, weight, target)| Service {
                priority,
                weight,
                port: 5060,
                target,
            })
            .to_vec()
    }

    #[test]
    fn the_heaviest_of_the_best_priority_is_first() {
        let mut services = services();
        heaviest_first(&mut services);
        assert_eq!(
            services
                .iter()
                .map(|service| service.target)
                .collect::<String>(),
            "bacd"
        );
    }

    #[test]
    fn weights_share_the_first_place() {
        let mut firsts = [0; 3];
        for draw in 0..5 {
            let mut services = services();
            weighted(&mut services, |limit| draw % limit);
            firsts[usize::from(services[0].target as u8 - b'a')] += 1;
            assert_eq!(services[3].target, 'd');
        }
        assert_eq!(firsts, [1, 3, 1]);
    }
}
