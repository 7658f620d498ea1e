// Who is who at the demo broker: three clients with their portfolios, and the operators of three desks.
import type { Desk } from '../kernel/actor.ts';
import type { Portfolio } from '../../tools/activity-statement.ts';

export const brokerName = 'Harbour & Vale';

export interface DemoClient {
  readonly kind: 'person' | 'institution';
  readonly name: string;
  readonly role: string;
  readonly login: string;
  readonly email: string;
  readonly portfolio: Omit<Portfolio, 'openedOn'>;
  /** How long the account has been open. Units: calendar days. */
  readonly openDays: number;
}

export const demoClients = {
  investor: {
    kind: 'person',
    name: 'Clara Lindqvist',
    role: 'private investor',
    login: 'clara',
    email: 'clara@lindqvist.example',
    portfolio: {
      accountNumber: 'U7041826',
      holder: 'Clara Lindqvist',
      address: ['Lilla Nygatan 14', '111 28 Stockholm', 'Sweden'],
      baseCurrency: 'EUR',
      deposit: 38_500_000n,
      symbols: ['NVND', 'MEAG', 'MWEQ', 'LMNO', 'BTC', 'ETH'],
      tradesMax: 2,
    },
    openDays: 120,
  },
  fund: {
    kind: 'institution',
    name: 'Alder Rock Capital Fund',
    role: 'fund, SFTP and encryption on',
    login: 'alderrock',
    email: 'operations@alderrock.example',
    portfolio: {
      accountNumber: 'F2200315',
      holder: 'Alder Rock Capital Fund SICAV',
      address: ['c/o Alder Rock Management S.A.', '9, rue du Fort Thüngen', '1499 Luxembourg'],
      baseCurrency: 'USD',
      deposit: 4_800_000_000n,
      symbols: ['CDWL', 'LMNO', 'TBRF', 'HPZN', 'NVND', 'ASHR', 'MWEQ', 'MEAG', 'BTC'],
      tradesMax: 8,
    },
    openDays: 150,
  },
  newcomer: {
    kind: 'institution',
    name: 'Juniper & Sons Trading',
    role: 'delivery not yet set up',
    login: 'juniper',
    email: 'office@juniper.example',
    portfolio: {
      accountNumber: 'F2200488',
      holder: 'Juniper & Sons Trading Ltd',
      address: ['22 Carrick Lane', 'Dublin D02 XY45', 'Ireland'],
      baseCurrency: 'GBP',
      deposit: 92_000_000n,
      symbols: ['ASHR', 'MWEQ', 'HPZN'],
      tradesMax: 1,
    },
    openDays: 7,
  },
} as const satisfies Record<string, DemoClient>;

export interface DemoOperator {
  readonly name: string;
  readonly role: string;
  readonly login: string;
  readonly desk: Desk;
}

export const demoOperators: readonly DemoOperator[] = [
  { name: 'Inés Moreau', role: 'delivery desk', login: 'ines', desk: 'delivery' },
  { name: 'Tom Brandt', role: 'delivery desk', login: 'tom', desk: 'delivery' },
  { name: 'Aiko Sato', role: 'service desk', login: 'aiko', desk: 'service' },
  { name: 'Goran Petrov', role: 'operations', login: 'goran', desk: 'operations' },
];
