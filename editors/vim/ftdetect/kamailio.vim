" Recognises Kamailio configurations by name, and other *.cfg files by their first lines.

autocmd BufNewFile,BufRead kamailio*.cfg,*.kamailio set filetype=kamailio
autocmd BufNewFile,BufRead *.cfg if kamailio#detect() | set filetype=kamailio | endif
