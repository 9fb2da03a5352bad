# Every table and figure, and a verdict on every claim: one rule each, all of this form. What a page is made of stands in
# cascadebert/catalogue.py; a module of cascadebert/pages writes or draws it.

for name, artefact in catalogue.PAGES.items():
    first, shown, caption, *beside = catalogue.files_of(AT, name)

    rule:
        name:
            name
        input:
            page_files(name),
        output:
            beside,
            first=first,
            caption=caption,
            shown=report(
                shown,
                caption=Path(catalogue.files_of(Places(CONFIG.results), name)[2]).resolve(),
                category=artefact.section,
                labels={"page": artefact.title, "tasks": ", ".join(CONFIG.tasks)},
            ),
        log:
            f"<logs>/{name}.log",
        localrule: True
        conda:
            "../envs/paper.yaml"
        resources:
            **requests(page_job(name)),
        params:
            page=page_json(name),
            code=page_code(name),
        message:
            f"Making {artefact.title}"
        shell:
            "python workflow/scripts/page.py --page {params.page:q} --out {output.first} > {log} 2>&1"
