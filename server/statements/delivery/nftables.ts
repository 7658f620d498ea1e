// The allow-list as text that `nft -f` loads, for operators who want the machine itself to drop strangers.

export interface NetworkLists {
  readonly allowed: readonly string[];
  readonly blocked: readonly string[];
  readonly port: number;
}

/** A table that replaces itself whole. Blocks stand before the allowed sets; `auto-merge` joins ranges that overlap. */
export function formatNftables(list: NetworkLists): string {
  const port = `tcp dport ${list.port}`;
  return [
    'table inet broadgate {}',
    'delete table inet broadgate',
    'table inet broadgate {',
    ...formatSet('blocked4', 'ipv4_addr', list.blocked),
    ...formatSet('blocked6', 'ipv6_addr', list.blocked),
    ...formatSet('allowed4', 'ipv4_addr', list.allowed),
    ...formatSet('allowed6', 'ipv6_addr', list.allowed),
    '\tchain sftp {',
    '\t\ttype filter hook input priority filter; policy accept;',
    `\t\t${port} ip saddr @blocked4 drop`,
    `\t\t${port} ip6 saddr @blocked6 drop`,
    `\t\t${port} ip saddr != @allowed4 drop`,
    `\t\t${port} ip6 saddr != @allowed6 drop`,
    '\t}',
    '}',
    '',
  ].join('\n');
}

function formatSet(name: string, type: 'ipv4_addr' | 'ipv6_addr', networks: readonly string[]): string[] {
  const own = networks.filter((network) => network.includes(':') === (type === 'ipv6_addr'));
  const elements = own.length === 0 ? [] : [`\t\telements = { ${own.join(', ')} }`];
  return [`\tset ${name} {`, `\t\ttype ${type}`, '\t\tflags interval', '\t\tauto-merge', ...elements, '\t}'];
}
