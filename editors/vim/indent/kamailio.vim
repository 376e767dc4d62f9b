" Indentation of Kamailio configurations: by braces, parentheses, case labels and the single
" statement after if, else and while. A line that goes on with the one before is indented twice,
" as in Kamailio's own configurations. Directives stand at the left edge; inside /* comments */
" every line stays as it is.

if exists('b:did_indent')
  finish
endif
let b:did_indent = 1

setlocal indentexpr=KamailioIndent(v:lnum)
setlocal indentkeys=0{,0},0),!^F,o,O,e,=case,=default
setlocal nolisp nosmartindent autoindent
let b:undo_indent = 'setlocal indentexpr< indentkeys< lisp< smartindent< autoindent<'

if exists('*KamailioIndent')
  finish
endif

let s:label = '^\s*\%(case\>.*\|default\s*\):\s*$'
let s:operator = '^\s*\%([-+*|&=<>]\|\<\%(and\|or\)\>\)'
let s:directive = '^\s*[#!]!'

" Whether the place is inside /* and */, by its colour.
function! s:is_comment(lnum, column) abort
  return synIDattr(synID(a:lnum, a:column, 1), 'name') ==# 'kamailioBlockComment'
endfunction

" The line without texts, comments and $(...), whose brackets do not count.
function! s:code(lnum) abort
  let l:text = getline(a:lnum)
  if l:text =~# s:directive
    return ''
  endif
  let l:text = substitute(l:text, '"\%(\\.\|[^"\\]\)*"\|''[^'']*''', '""', 'g')
  let l:text = substitute(l:text, '\$([^()]*\%(([^()]*)[^()]*\)*)', '$', 'g')
  if s:is_comment(a:lnum, match(l:text, '\S') + 1) && l:text !~# '^\s*/\*'
    let l:text = substitute(l:text, '^.\{-}\%(\*/\|$\)', '', '')
  endif
  let l:text = substitute(l:text, '/\*.\{-}\%(\*/\|$\)', '', 'g')
  return substitute(l:text, '\s*\%(#\|//\).*$', '', '')
endfunction

" How many more of `open` than of `close` the text has.
function! s:balance(text, open, close) abort
  return count(a:text, a:open) - count(a:text, a:close)
endfunction

" The line of code before `lnum`, or 0.
function! s:previous(lnum) abort
  let l:lnum = prevnonblank(a:lnum - 1)
  while l:lnum > 0 && s:code(l:lnum) =~# '^\s*$'
    let l:lnum = prevnonblank(l:lnum - 1)
  endwhile
  return l:lnum
endfunction

" The statement that ends on `lnum`: the line where it begins, and its code. It goes back where
" parentheses are still to open, and from a line that begins with an operator.
function! s:statement(lnum) abort
  let l:lnum = a:lnum
  let l:code = s:code(l:lnum)
  while s:balance(l:code, '(', ')') < 0 || l:code =~# s:operator
    let l:before = s:previous(l:lnum)
    if l:before == 0
      break
    endif
    let l:lnum = l:before
    let l:code = s:code(l:lnum) . ' ' . l:code
  endwhile
  return [l:lnum, l:code]
endfunction

" Whether the code is a condition whose single statement comes next.
function! s:is_head(code) abort
  return a:code =~# '^\s*}\=\s*\%(else\s\+\)\=\%(if\|while\)\>.*)\s*$'
        \ && s:balance(a:code, '(', ')') == 0
        \ || a:code =~# '^\s*}\=\s*else\s*$'
endfunction

" The line with the brace that is open where `lnum` begins, or 0.
function! s:opener(lnum) abort
  let l:depth = 0
  let l:lnum = a:lnum - 1
  while l:lnum > 0
    for l:char in reverse(split(s:code(l:lnum), '\zs'))
      if l:char ==# '}'
        let l:depth += 1
      elseif l:char ==# '{'
        if l:depth == 0
          return s:statement(l:lnum)[0]
        endif
        let l:depth -= 1
      endif
    endfor
    let l:lnum -= 1
  endwhile
  return 0
endfunction

" Whether a comment goes on after the end of `lnum`.
function! s:in_comment(lnum) abort
  let l:text = getline(a:lnum)
  return l:text !~# '\*/\s*$'
        \ && s:is_comment(a:lnum, max([1, len(l:text)]))
endfunction

function! KamailioIndent(lnum) abort
  let l:line = getline(a:lnum)
  if l:line =~# s:directive
    return 0
  endif
  if s:in_comment(prevnonblank(a:lnum - 1))
    return -1
  endif
  let l:label = l:line =~# s:label
  if l:line =~# '^\s*}' || l:label
    let l:opener = s:opener(a:lnum)
    return l:opener == 0 ? 0 : indent(l:opener) + (l:label ? shiftwidth() : 0)
  endif
  let l:last = s:previous(a:lnum)
  if l:last == 0
    return 0
  endif
  if s:balance(s:code(l:last), '(', ')') > 0
    return l:line =~# '^\s*)' ? indent(l:last) : indent(l:last) + 2 * shiftwidth()
  endif
  let [l:start, l:code] = s:statement(l:last)
  let l:indent = indent(l:start)
  if l:line =~# s:operator
    return l:indent + 2 * shiftwidth()
  endif
  if s:is_head(l:code)
    return l:line =~# '^\s*{' ? l:indent : l:indent + shiftwidth()
  endif
  if l:code =~# s:label
    return l:indent + shiftwidth()
  endif
  " A brace that closes at the start of the line is in that line's own indent already.
  let l:inside = s:balance(substitute(l:code, '^\s*}', '', ''), '{', '}')
  if l:inside != 0
    return max([0, l:indent + l:inside * shiftwidth()])
  endif
  if l:code !~# '^\s*}'
    let l:head = s:previous(l:start)
    while l:head > 0
      let [l:first, l:code] = s:statement(l:head)
      if !s:is_head(l:code)
        break
      endif
      let l:indent = indent(l:first)
      let l:head = s:previous(l:first)
    endwhile
  endif
  return l:indent
endfunction
