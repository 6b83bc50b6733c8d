// What the simulated payment provider and the stock can be made to do, by the payment token an order is
// placed with.

export const scenarios = [
  {
    id: 'normal',
    name: 'Normal',
    token: 'tok_ok',
    about: 'Payment and stock are fine; the order is confirmed.',
  },
  {
    id: 'sold-out',
    name: 'Sold out',
    token: 'tok_ok',
    addsSoldOut: true,
    about:
      'Adds an item nobody has. The payment is authorised, the stock is refused, the payment is released.',
  },
  {
    id: 'declined',
    name: 'Declined',
    token: 'tok_declined',
    about: 'The bank says no; the order is rejected.',
  },
  {
    id: '3ds',
    name: '3-D Secure',
    token: 'tok_3ds',
    about: 'The bank asks the buyer to agree on a page of its own; the order waits for that.',
  },
  {id: 'slow', name: 'Slow', token: 'tok_slow_3000', about: 'The bank takes three seconds to answer.'},
  {
    id: 'insufficient-funds',
    name: 'No funds',
    token: 'tok_insufficient_funds',
    about: 'The card is fine, but there is not enough money on it.',
  },
  {
    id: 'flaky',
    name: 'Flaky',
    token: 'tok_flaky_2',
    about: 'The bank fails twice before it works; the host tries again.',
  },
  {
    id: 'lost-answer',
    name: 'Lost answer',
    token: 'tok_timeout',
    about: 'The bank charges, but its answer never arrives. The host asks instead of charging twice.',
  },
];
