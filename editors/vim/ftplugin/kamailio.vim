" Editing of Kamailio configurations.

if exists('b:did_ftplugin')
  finish
endif
let b:did_ftplugin = 1

setlocal commentstring=#\ %s
setlocal comments=s1:/*,mb:*,ex:*/,b:#,://
setlocal formatoptions-=t formatoptions+=croql
setlocal completefunc=kamailio#complete
setlocal omnifunc=kamailio#complete
setlocal include=^\\s*\\%([#!]!\\)\\=\\%(include\\\|import\\)_file

command! -buffer -bar KamailioDictionary call kamailio#export()

let b:undo_ftplugin = 'setlocal commentstring< comments< formatoptions< completefunc< omnifunc< include<'
      \ . ' | silent! delcommand -buffer KamailioDictionary'
