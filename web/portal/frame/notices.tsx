// What happened since the person last looked: a bell with their number, and behind it the notices, the newest first.
import { useInfiniteQuery, useMutation, useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useEffect, useRef, useState } from 'react';
import { Button as AriaButton, Popover } from 'react-aria-components';
import { api } from '../api/client.ts';
import type { Notice } from '../api/operations.ts';
import { Button } from '../design/button.tsx';
import buttonStyles from '../design/button.module.css';
import { Icon } from '../design/icons.tsx';
import { Empty, Loading, Refused } from '../design/states.tsx';
import { loadAreas } from '../language/catalogues.ts';
import { Text, useFormats, useText } from '../language/text.tsx';
import { useNoticeText } from './notice-text.ts';
import styles from './notices.module.css';

const shownMax = 99;

export function Notices(): ReactNode {
  const text = useText();
  const formats = useFormats();
  const button = useRef<HTMLButtonElement>(null);
  const [isOpen, setIsOpen] = useState(false);
  const unread = useInfiniteQuery(api.list('/v1/notices', { query: { unread: 'true' } }));
  const count = unread.data?.length ?? 0;
  const shown = count > shownMax ? `${formats.number(shownMax)}+` : formats.number(count);
  return (
    <>
      <AriaButton
        ref={button}
        className={`${buttonStyles.button} ${buttonStyles.icon} ${styles.bell}`}
        aria-label={text('frame.notices.button', { count })}
        aria-haspopup="dialog"
        aria-expanded={isOpen}
        onPress={() => setIsOpen(true)}
      >
        <Icon name="bell" />
        {count > 0 && (
          <span className={styles.count} aria-hidden="true">
            {shown}
          </span>
        )}
      </AriaButton>
      {/* Without a dialog in it the popover is one itself, with the buttons that React Aria puts in to leave it. */}
      <Popover
        triggerRef={button}
        isOpen={isOpen}
        onOpenChange={setIsOpen}
        aria-label={text('frame.notices.title')}
        className={styles.popover ?? ''}
        offset={4}
        placement="bottom end"
      >
        <div className={styles.panel}>
          <Panel unread={unread.data ?? []} />
        </div>
      </Popover>
    </>
  );
}

function Panel({ unread }: { readonly unread: readonly Notice[] }): ReactNode {
  const text = useText();
  const hasTexts = useAreas();
  const all = useInfiniteQuery(api.list('/v1/notices'));
  const queryClient = useQueryClient();
  const read = useMutation({
    mutationFn: async (notices: readonly Notice[]) => {
      for (const { id } of notices) {
        await api.post('/v1/notices/{noticeId}/read', undefined, { params: { noticeId: id } });
      }
    },
    onSettled: () => queryClient.invalidateQueries({ queryKey: ['/v1/notices'] }),
  });
  return (
    <>
      <div className={styles.head}>
        <h2 className={styles.title}>
          <Text id="frame.notices.title" />
        </h2>
        {unread.length > 0 && (
          <Button onPress={() => read.mutate(unread)} isPending={read.isPending}>
            {text('frame.notices.readAll')}
          </Button>
        )}
      </div>
      {read.isError && <Refused problem={read.error} />}
      {all.isError ? (
        <Refused problem={all.error} onRetry={() => void all.refetch()} isRetrying={all.isFetching} />
      ) : all.data === undefined || !hasTexts ? (
        <Loading />
      ) : all.data.length === 0 ? (
        <Empty title={text('frame.notices.empty')} icon="bell" />
      ) : (
        <NoticeList notices={all.data} />
      )}
      {all.hasNextPage && (
        <Button onPress={() => void all.fetchNextPage()} isPending={all.isFetchingNextPage}>
          {text('frame.notices.more')}
        </Button>
      )}
    </>
  );
}

/** Notices as a list; what nobody has read yet is marked by a word and by weight. */
export function NoticeList({ notices }: { readonly notices: readonly Notice[] }): ReactNode {
  const text = useText();
  const formats = useFormats();
  const noticeText = useNoticeText();
  return (
    // WebKit takes a list without marks for no list, unless the role is said.
    // oxlint-disable-next-line jsx-a11y/no-redundant-roles
    <ul className={styles.list} role="list">
      {notices.map((notice) => (
        <li key={notice.id} className={`${styles.notice} ${notice.readAt === null ? styles.unread : ''}`}>
          <p className={styles.text}>{noticeText(notice)}</p>
          <p className={styles.at}>
            <time dateTime={notice.createdAt} title={formats.instant(notice.createdAt)}>
              {formats.relative(notice.createdAt)}
            </time>
            {notice.readAt === null && ` · ${text('frame.notices.new')}`}
          </p>
        </li>
      ))}
    </ul>
  );
}

/** The words of notices are many, and are read when somebody first looks. */
function useAreas(): boolean {
  const [isLoaded, setIsLoaded] = useState(false);
  useEffect(() => {
    let isHere = true;
    void loadAreas(['notice', 'word', 'reason']).then(() => isHere && setIsLoaded(true));
    return () => {
      isHere = false;
    };
  }, []);
  return isLoaded;
}
