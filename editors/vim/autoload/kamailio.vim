" Completion of Kamailio configurations, and the detection of the file type.
"
" The words come from dictionary files that `kcc export vim` writes: a word a line, with columns
" separated by tabs: word, how it is written, first line of the manual, modules, 1 if supported.

let s:plugin = expand('<sfile>:p:h:h')
let s:cache = {}
let s:exported = 0
let s:context = ['', '']

" Whether the first lines of the buffer are those of a Kamailio configuration.
function! kamailio#detect() abort
  for l:line in getline(1, 200)
    if l:line =~# '^\s*[#!]!\%(KAMAILIO\|OPENSER\|SER\|MAXCOMPAT\)\s*$'
          \ || l:line =~# '^\s*loadmodulex\=\s*["'']'
          \ || l:line =~# '^\s*request_route\s*\%({\|$\)'
      return 1
    endif
  endfor
  return 0
endfunction

" For 'completefunc' and 'omnifunc'.
function! kamailio#complete(findstart, base) abort
  if a:findstart
    let [l:start; s:context] = s:locate(strpart(getline('.'), 0, col('.') - 1))
    return l:start
  endif
  let [l:kind, l:detail] = s:context
  if l:kind ==# 'variable'
    return s:variables(a:base)
  elseif l:kind ==# 'transformation'
    return s:words('transformations', a:base, 't')
  elseif l:kind ==# 'param'
    let l:modules = split(l:detail, '|')
    return filter(s:words('params', a:base, 'p'), 'index(l:modules, v:val.user_data) >= 0')
  elseif l:kind ==# 'module'
    return s:words('modules', a:base, 'm')
  elseif l:kind ==# 'file'
    return map(s:words('modules', a:base, 'm'), 'extend(v:val, {"word": v:val.word . ".so"})')
  elseif l:kind ==# 'event'
    return s:words('events', a:base, 'e')
  elseif l:kind ==# 'directive'
    return s:words('keywords', a:base, 'd')
  elseif l:kind ==# 'route'
    return s:routes(l:detail, a:base)
  endif
  return s:words('functions', a:base, 'f') + s:words('keywords', a:base, 'k')
        \ + s:words('globals', a:base, 'g')
endfunction

" Writes the dictionaries anew, with the `kcc` of g:kamailio_kcc or the path.
function! kamailio#export() abort
  let l:kcc = get(g:, 'kamailio_kcc', 'kcc')
  if !executable(l:kcc)
    call s:say('no dictionaries, and no ' . l:kcc . ' in the path to write them')
    return 0
  endif
  for l:folder in s:folders()
    if !isdirectory(l:folder)
      silent! call mkdir(l:folder, 'p')
    endif
    if filewritable(l:folder) == 2
      let l:output = system(shellescape(l:kcc) . ' export vim -o ' . shellescape(l:folder))
      if v:shell_error
        call s:say(l:kcc . ' export vim: ' . substitute(l:output, '\_s\+', ' ', 'g'))
        return 0
      endif
      let s:cache = {}
      return 1
    endif
  endfor
  call s:say('no folder to write the dictionaries to: set g:kamailio_dictionary')
  return 0
endfunction

" What the text before the cursor asks for: [start column, kind, detail].
function! s:locate(text) abort
  let l:places = [
        \ ['transformation', '\$([^{}]*\%({[^{}]*}\)*{\zs[[:alnum:]_.]*$'],
        \ ['variable', '\$(\=\%(\%(\h[[:alnum:]_.]*\|?\)\%(([[:alnum:]_-]*\)\=\)\=$'],
        \ ['param', '\<modparamx\=\s*(\s*["''][^"'']*["'']\s*,\s*["'']\zs\w*$'],
        \ ['module', '\<modparamx\=\s*(\s*["'']\%([^"'']*|\)\=\zs[[:alnum:]_-]*$'],
        \ ['file', '\<loadmodulex\=\s*(\=\s*["'']\%([^"'']*/\)\=\zs[[:alnum:]_-]*$'],
        \ ['event', '\<event_route\s*\[\s*["'']\=\zs[[:alnum:]_:-]*$'],
        \ ['directive', '^\s*\zs[#!]!\l*_\=\l*$'],
        \ ['route', '\<\%(route\s*(\|t_on_\l\+\s*(\)\s*["'']\=\zs[[:alnum:]_:-]*$'],
        \ ['word', '\<\h\w*$'],
        \ ]
  for [l:kind, l:pattern] in l:places
    let l:start = match(a:text, l:pattern)
    if l:start >= 0
      let l:detail = ''
      if l:kind ==# 'param'
        let l:detail = matchstr(a:text, '\<modparamx\=\s*(\s*["'']\zs[^"'']*\ze["'']\s*,\s*["'']\w*$')
      elseif l:kind ==# 'route'
        let l:detail = matchstr(a:text, '\<t_on_\zs\l\+\ze\s*(\s*["'']\=[[:alnum:]_:-]*$')
      endif
      return [l:start, l:kind, l:detail]
    endif
  endfor
  return [-3, '', '']
endfunction

" The entries of dictionary `name` that begin with `base`, as completion items.
function! s:words(name, base, kind) abort
  let l:length = strlen(a:base)
  let l:items = []
  for l:entry in s:dictionary(a:name)
    if l:length == 0 || strpart(l:entry[0], 0, l:length) ==? a:base
      call add(l:items, s:item(l:entry, l:entry[0], a:kind))
    endif
  endfor
  return l:items
endfunction

" Variables; `base` begins with `$` or `$(`. Names that stand inside the parentheses of a class
" come once the parenthesis is there.
function! s:variables(base) abort
  let l:prefix = matchstr(a:base, '^\$(\=')
  let l:name = strpart(a:base, strlen(l:prefix))
  let l:length = strlen(l:name)
  let l:inner = stridx(l:name, '(') >= 0
  let l:items = []
  for l:entry in s:dictionary('pvs')
    let l:word = l:entry[0]
    if (l:length > 0 && strpart(l:word, 0, l:length) !=# l:name)
          \ || (stridx(l:word, '(') >= 0) != l:inner
      continue
    endif
    if !l:inner && l:entry[1] =~# '^\$(\=[^( ]*('
      let l:word .= '('
    endif
    let l:prefixed = (l:entry[1] =~# '^\$(' ? '$(' : l:prefix) . l:word
    call add(l:items, s:item(l:entry, l:prefixed, 'v'))
  endfor
  return l:items
endfunction

" The names of the routes in this buffer that `handler` (of t_on_HANDLER, or none) can name.
function! s:routes(handler, base) abort
  let l:block = {'': 'route', 'failure': 'failure_route', 'reply': 'onreply_route',
        \ 'branch': 'branch_route', 'branch_failure': 'event_route'}
  if !has_key(l:block, a:handler)
    return []
  endif
  let l:pattern = '^\s*' . l:block[a:handler] . '\s*\[\s*["'']\=\zs[^]"'']\+'
  let l:items = []
  for l:line in getline(1, '$')
    let l:name = substitute(matchstr(l:line, l:pattern), '\s\+$', '', '')
    if a:handler ==# 'branch_failure'
      let l:name = matchstr(l:name, '^tm:branch-failure:\zs.*')
    endif
    if l:name !=# '' && strpart(l:name, 0, strlen(a:base)) ==? a:base
      call add(l:items, {'word': l:name, 'menu': l:block[a:handler], 'kind': 'r'})
    endif
  endfor
  return l:items
endfunction

function! s:item(entry, word, kind) abort
  let [l:word, l:signature, l:info, l:module, l:supported] = a:entry
  let l:menu = l:signature . (l:module ==# 'core' ? '' : '  ' . l:module)
  if l:supported !=# '1'
    let l:menu .= '  (not in kcc)'
  endif
  return {'word': a:word, 'menu': l:menu, 'info': l:signature . "\n" . l:info, 'kind': a:kind,
        \ 'user_data': l:module}
endfunction

" The lines of a dictionary, each a list of columns. Writes the dictionaries if there are none.
function! s:dictionary(name) abort
  if has_key(s:cache, a:name)
    return s:cache[a:name]
  endif
  let l:file = s:find(a:name)
  if l:file ==# '' && !s:exported
    let s:exported = 1
    if kamailio#export()
      let l:file = s:find(a:name)
    endif
  endif
  if l:file ==# ''
    return []
  endif
  let s:cache[a:name] = filter(map(readfile(l:file), 'split(v:val, "\t", 1)'), 'len(v:val) == 5')
  return s:cache[a:name]
endfunction

function! s:find(name) abort
  for l:folder in s:folders()
    let l:file = l:folder . '/' . a:name . '.txt'
    if filereadable(l:file)
      return l:file
    endif
  endfor
  return ''
endfunction

" Where dictionaries may lie, the preferred place first.
function! s:folders() abort
  if exists('g:kamailio_dictionary')
    return [expand(g:kamailio_dictionary)]
  endif
  let l:caches = empty($XDG_CACHE_HOME) ? expand('~/.cache') : $XDG_CACHE_HOME
  return [s:plugin . '/dict', l:caches . '/kcc/vim']
endfunction

function! s:say(text) abort
  echohl WarningMsg
  echomsg 'kamailio: ' . a:text
  echohl None
endfunction
