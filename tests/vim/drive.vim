" Drives the plugin as a person would and writes what came of it as JSON.
"
" g:cases: texts to complete at their end; g:sample: a configuration; g:output: where to write.

set completeopt=menuone,noinsert,noselect shiftwidth=4 expandtab nomore
let s:result = {'completions': [], 'errors': ''}

function! Offered() abort
  let s:items = complete_info(['items']).items
  return ''
endfunction

function! s:complete(lines) abort
  enew!
  set filetype=kamailio
  call setline(1, a:lines)
  let s:items = []
  call feedkeys("GA\<C-X>\<C-U>\<C-R>=Offered()\<CR>\<Esc>", 'tx')
  return map(s:items, '{"word": v:val.word, "menu": v:val.menu, "info": get(v:val, "info", "")}')
endfunction

for s:case in g:cases
  call add(s:result.completions, s:complete(split(s:case, "\n", 1)))
endfor

execute 'edit!' fnameescape(g:sample)
let s:result.filetype = &filetype
let s:result.syntax = get(b:, 'current_syntax', '')
let s:result.colours = {}
for s:place in [['A comment', 0], ['keeps', 0], ['request_route', 0], ['483', 0], ['uri.host', 0],
      \ ['\$rU', 0], ['RELAY\]', 0], ['t_relay', 0], ['#!ifdef', 0], ['not a block', 0],
      \ ['listen', 0], ['exit', 0], ['\\n', 0]]
  call cursor(1, 1)
  call search(s:place[0], 'cW')
  let s:result.colours[s:place[0]] = synIDattr(synID(line('.'), col('.'), 1), 'name')
endfor

silent %substitute/^\s\+//e
silent normal! gg=G
let s:result.indented = getline(1, '$')
let s:result.commentstring = &commentstring

let s:result.errors = v:errmsg

let g:kamailio_kcc = 'no-such-kcc'
let s:result.complaint = execute('call kamailio#export()')
call writefile([json_encode(s:result)], g:output)
qall!
